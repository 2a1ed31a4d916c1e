# This script is stored on the host. `load` loads the table of fleethands. `watch` loads it again when it has lost a rule, because
# a flush of all rules flushes this table too.
#   rules: the file of the rules; loaded: the file that says which rules are loaded
#   inside: ports of sandboxes, as a pattern; lowest: the lowest host port of a sandbox
: "${rules:?}" "${loaded:?}" "${inside:?}" "${lowest:?}"

# proxied: host ports of sandboxes that Docker's proxy listens on, by its command lines
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

# closing: counts the rules that close a port
closing() { grep -cE '(jump [a-z]+|goto published|drop)$'; }
holds() { [ "$(nft list table inet fleethands 2>/dev/null | closing)" -ge "$(closing <"$rules")" ]; }
sha() { sha256sum | cut -d ' ' -f 1; }

# load: in one transaction, so that no port is open for a moment. The digest of the loaded table is stored, so that fleethands
# notices a later change by hand.
load() {
  whole=$(text) && [ -n "$whole" ] || return
  printf '%s\n' "$whole" | nft --file - || return
  mkdir -p "${loaded%/*}"
  table=$(nft --stateless list table inet fleethands) || return
  echo "$(sha <"$rules") $(printf %s "$table" | sha)" >"$loaded.new" && mv -f "$loaded.new" "$loaded"
}

# The monitor reports only events after its start. So the table is loaded again until the monitor reports one of these loads.
watch() {
  nft monitor rules | grep --line-buffered -e '^delete rule inet fleethands ' -e '^# ERROR' | {
    while :; do load; sleep 0.1; done &
    loading=$!
    read -r _ || exit
    kill "$loading"
    wait "$loading" 2>/dev/null # the shell prints that it was killed
    until load; do sleep 0.2; done
    while read -r _; do
      until holds || load; do sleep 0.2; done
    done
  }
}

"$1"
