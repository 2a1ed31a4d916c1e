# Makes one directory, with its owner and mode; what it holds stays as it is.
: "${path:?}" "${mode?}" "${owner?}"
if place=$(real_path "$path"); then
  [ ! -L "$place" ] || fail "$path is a link that root did not make" "on the host: ls -l '$path'; rm '$path'"
  [ -d "$place" ] || made directory "$path"
  mkdir -p "$place"
  [ -z "$owner" ] || chown -h "$owner" "$place"
  [ -z "$mode" ] || chmod "$mode" "$place"
else
  # shellcheck disable=SC2016
  as_owner "$(numbers_of "${owner:-root}")" 60 sh -c 'mkdir -p "$1" && { [ -z "$2" ] || chmod "$2" "$1"; }' sh "$path" "$mode" ||
    fail "$path lies in a directory that is not root's, whose owner could put a link in its place" \
      'declare another directory, for example below /srv' "see whose this one is, on the host: namei -l '$path'"
fi
