# Takes hosts out of the gateway, and waits until it has no request under way there. The gateway looks at the marks itself.
#   backends: names of the hosts; limit: seconds to wait; expires: seconds after which the gateway uses them again by itself
#   declared: the file that names the hosts behind the gateway; drained: the directory of marks; service: the gateway's unit
# Prints for each host `drain: NAME RESULT REQUESTS SECONDS`: `waited`, `busy` if requests are left, `unknown` if the gateway does
# not send it requests, or `last` if no other host would be left: then it stays.
set -eu
: "${backends:?}" "${limit:?}" "${expires:?}" "${declared:?}" "${drained:?}" "${service:?}"

umask 077
names() { sed -n 's/^# backend \([A-Za-z0-9._-]*\) .*/\1/p' "$declared" 2>/dev/null || true; }

# requests NAME: how many connections nginx has to the host; each is one request
requests() {
  address=$(while read -r _ kind name address; do [ "$kind $name" != "backend $1" ] || echo "$address"; done <"$declared")
  ss -Htnp state established state syn-sent dst "${address%:*}" dport = ":${address##*:}" | grep -c '"nginx"' || true
}

is_left() { # NAME: another host than this one gets requests
  for other in $(names); do
    [ "$other" = "$1" ] || [ -e "$drained/$other" ] || return 0
  done
  return 1
}

# take_out NAME: marks the host, so that no new request goes there
take_out() {
  install -d -m 0755 -o root -g root "$drained"
  : >"$drained/$1"
  systemctl stop "fleethands-return-$1.timer" 2>/dev/null || true
  systemd-run --quiet --collect --unit "fleethands-return-$1" --on-active "$expires" rm -f "$drained/$1"
}

exec 9>>/run/fleethands-drained.lock
flock -w 30 9
waiting=''
for backend in $backends; do
  if ! systemctl is-active --quiet "$service" || ! names | grep -qxF "$backend"; then
    echo "drain: $backend unknown 0 0"
  elif ! is_left "$backend"; then
    echo "drain: $backend last $(requests "$backend") 0"
  else
    take_out "$backend"
    waiting="$waiting $backend"
  fi
done
exec 9>&-

begun=$(date +%s)
told=$begun
for backend in $waiting; do
  first=$(requests "$backend")
  idle=0
  # twice in a row: a request that passed the mark just before may not have a connection yet
  while [ "$idle" -lt 2 ]; do
    now=$(date +%s)
    if [ "$(requests "$backend")" -eq 0 ]; then idle=$((idle + 1)); else idle=0; fi
    [ $((now - begun)) -lt "$limit" ] || break
    if [ $((now - told)) -ge 10 ]; then echo "drain: $backend waits" && told=$now; fi
    sleep 0.25
  done
  if [ "$idle" -lt 2 ]; then result=busy; else result=waited; fi
  echo "drain: $backend $result $first $(($(date +%s) - begun))"
done
