# What servers outside may send, and where they may lead. Read into other scripts.

# curled ADDRESS OPTION…: curl, on no way that is less safe than the address; which goes to it by an option of its own. What
# root's ~/.curlrc says of the way out counts (a proxy, an authority), and what it says of the answer does not.
curled() {
  case $1 in https://*) onwards='=https' ;; *) onwards='=https,http' ;; esac
  shift
  set -- --write-out '' --no-include --no-remote-name-all --no-remote-header-name "$@"
  curl --globoff --silent --show-error --location --max-redirs 5 --proto '=https,http,file' --proto-redir "$onwards" "$@"
}

# at_most BYTES COMMAND…: what it says, up to so many bytes, with its status; one that says more is ended
at_most() {
  most=$1
  shift
  {
    ended=$({ { "$@" 3>&- 4>&- && echo 0 >&4 || echo "$?" >&4; } | head -c "$most" >&3; } 4>&1)
  } 3>&1
  return "$ended"
}

# whole NUMBER: as shells calculate with it; status 1 for what is no whole number, or a longer one
whole() {
  case $1 in '' | *[!0-9]* | ????????????????*) return 1 ;; esac
  number=$1
  while :; do
    case $number in 0?*) number=${number#0} ;; *) break ;; esac
  done
  echo "$number"
}
