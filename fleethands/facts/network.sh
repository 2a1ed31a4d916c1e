# The firewall table, and who listens on the ports that fleethands uses.
: "${ports:?}"

# Docker names a bridge `br-` and 12 hex digits. Any other device whose name begins like that may be a network card, and
# is reported.
read_firewall() {
  four='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
  for device in /sys/class/net/br-*; do
    # shellcheck disable=SC2254
    case ${device##*/} in br-$four$four$four) ;; *) [ ! -e "$device" ] || echo "bridge ${device##*/}" ;; esac
  done
  if ! have nft; then echo missing && return 0; fi
  need sha256sum cut || return $?
  listing=$(nft --stateless list table inet fleethands) || { echo none && return 0; }
  digest=$(printf %s "$listing" | sha256sum)
  echo "loaded ${digest%% *}"
}

# Listeners on the ports that fleethands uses. They are read once, because the docker section needs them too.
listen() {
  need timeout ss || return $?
  filter=''
  for port in $ports; do filter="${filter:+$filter or }sport = :$port"; done
  limit ss -Hltnp "( $filter )"
}

# STATUS LINES of `listen`
read_sockets() {
  if [ "${#2}" -gt 100000 ]; then
    printf '%s\n' "$2" | head -c 100000
  elif [ -n "$2" ]; then
    printf '%s\n' "$2"
  fi
  return "$1"
}
