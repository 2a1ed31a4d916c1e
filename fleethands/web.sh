# Functions for downloads, part of other scripts: limits for the size, the protocol and redirects.

# curled ADDRESS OPTION…: curl without redirects to a less safe protocol; an option gives curl the address. root's ~/.curlrc
# counts for the connection (a proxy, a certificate authority), and not for the output.
curled() {
  case $1 in https://*) onwards='=https' ;; *) onwards='=https,http' ;; esac
  shift
  set -- --write-out '' --no-include --no-remote-name-all --no-remote-header-name "$@"
  curl --globoff --silent --show-error --location --max-redirs 5 --proto '=https,http,file' --proto-redir "$onwards" "$@"
}

# at_most BYTES COMMAND…: print the output of a command up to that many bytes, with its status; more output stops the command
at_most() {
  most=$1
  shift
  {
    ended=$({ { "$@" 3>&- 4>&- && echo 0 >&4 || echo "$?" >&4; } | head -c "$most" >&3; } 4>&1)
  } 3>&1
  return "$ended"
}

# whole NUMBER: print it without leading zeros; status 1 for a text that is no whole number, or too long a number
whole() {
  case $1 in '' | *[!0-9]* | ????????????????*) return 1 ;; esac
  number=$1
  while :; do
    case $number in 0?*) number=${number#0} ;; *) break ;; esac
  done
  echo "$number"
}
