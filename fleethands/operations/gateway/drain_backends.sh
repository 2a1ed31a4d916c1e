# Takes hosts out of the gateway, and waits until it has no request under way there. The gateway looks at the marks itself.
#   backends: names of the hosts; limit: seconds to wait; expires: seconds after which the gateway uses them again by itself
#   declared: the file that names the hosts behind the gateway; drained: the directory of marks
#   runtime: the directory of the gateway's sockets; service: its unit
# Prints for each host `drain: NAME RESULT REQUESTS SECONDS`: `waited`, `busy` if requests are left, `unknown` if the gateway does
# not send it requests, or `last` if no other host answers: then it stays.
set -eu
: "${backends:?}" "${limit:?}" "${expires:?}" "${declared:?}" "${drained:?}" "${runtime:?}" "${service:?}"

umask 077
names() { sed -n 's/^# backend \([A-Za-z0-9._-]*\) .*/\1/p' "$declared" 2>/dev/null || true; }

# requests NAME: how many connections nginx has to the host; each is one request
requests() {
  address=$(while read -r _ kind name address; do [ "$kind $name" != "backend $1" ] || echo "$address"; done <"$declared")
  found=$(ss -Htnp state established state syn-sent dst "${address%:*}" dport = ":${address##*:}")
  printf '%s\n' "$found" | grep -c '"nginx"' || true
}

# is_left NAME: whether another host than this one gets requests and answers
is_left() {
  for other in $(names); do
    if [ "$other" != "$1" ] && [ ! -e "$drained/$other" ] &&
      curl -q -fs --max-time 10 --unix-socket "$runtime/$other.sock" -o /dev/null http://localhost/api/version; then return 0; fi
  done
  return 1
}

# take_out NAME: marks the host, so that no new request goes there
take_out() {
  install -d -m 0755 -o root -g root "$drained"
  systemctl stop "fleethands-return-$1.timer" 2>/dev/null || true
  systemd-run --quiet --collect --unit "fleethands-return-$1" --on-active "$expires" rm -f "$drained/$1"
  : >"$drained/$1"
}

exec 9>>"$drained.lock"
flock -w 30 9
echo 'drain: begins' # ends this script if its controller has gone meanwhile
waiting=''
for backend in $backends; do
  if ! systemctl is-active --quiet "$service" || ! names | grep -qxF "$backend"; then
    echo "drain: $backend unknown 0 0"
  elif ! is_left "$backend"; then
    echo "drain: $backend last 0 0"
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
  left=$first
  idle=0
  # twice in a row: a request that passed the mark just before may not have a connection yet
  while [ "$idle" -lt 2 ]; do
    if [ "$left" -eq 0 ]; then idle=$((idle + 1)); else idle=0; fi
    now=$(date +%s)
    [ $((now - begun)) -lt "$limit" ] || break
    if [ $((now - told)) -ge 10 ]; then echo "drain: $backend waits" && told=$now; fi
    sleep 0.25
    left=$(requests "$backend")
  done
  if [ "$idle" -lt 2 ]; then result=busy; else result=waited; fi
  echo "drain: $backend $result $first $(($(date +%s) - begun))"
done
