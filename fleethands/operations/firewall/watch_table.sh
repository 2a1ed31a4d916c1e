# Lies on the host. `load` loads our table; `watch` loads it again whenever it has lost a rule: a flush of all rules takes
# this table along.
: "${rules:?}" "${loaded:?}" "${inside:?}" "${lowest:?}"

# host ports of sandboxes that Docker's proxy listens on, as its command lines say
proxied() {
  pgrep --list-full --euid root --exact docker-proxy | awk -v inside="^($inside)$" -v lowest="$lowest" '
    { for (i = 1; i < NF; i++) value[$i] = $(i + 1) }
    { host = value["-host-port"] + 0; container = value["-container-port"] }
    container ~ inside && host >= lowest { print host }' |
    sort -un | paste -sd, -
}

text() {
  cat "$rules" || return
  grep -q '^	set proxied ' "$rules" || return 0
  ports=$(proxied)
  [ -z "$ports" ] || echo "add element inet fleethands proxied { $ports }"
}

# how many rules close something
closing() { grep -cE '(jump [a-z]+|goto published|drop)$'; }
holds() { [ "$(nft list table inet fleethands 2>/dev/null | closing)" -ge "$(closing <"$rules")" ]; }
sha() { sha256sum | cut -d ' ' -f 1; }

# One transaction, in which no port is open for a moment. What was loaded is written down, so that a later change to the
# table by hand is seen.
load() {
  whole=$(text) && [ -n "$whole" ] || return
  printf '%s\n' "$whole" | nft --file - || return
  mkdir -p "${loaded%/*}"
  table=$(nft --stateless list table inet fleethands) || return
  echo "$(sha <"$rules") $(printf %s "$table" | sha)" >"$loaded.new" && mv -f "$loaded.new" "$loaded"
}

# The monitor tells nothing of what was before it listened: the table is loaded until the monitor tells of that.
watch() {
  nft monitor rules | grep --line-buffered -e '^delete rule inet fleethands ' -e '^# ERROR' | {
    while :; do load; sleep 0.1; done &
    loading=$!
    read -r _ || exit
    kill "$loading"
    wait "$loading" 2>/dev/null # whose shell says that it was ended
    until load; do sleep 0.2; done
    while read -r _; do
      until holds || load; do sleep 0.2; done
    done
  }
}

"$1"
