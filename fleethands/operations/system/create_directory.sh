# Creates a directory, or corrects its owner and mode. Its content stays.
#   path; mode, owner: empty to keep them
: "${path:?}" "${mode?}" "${owner?}"
if place=$(real_path "$path"); then
  [ ! -L "$place" ] || fail "$path is a link that root did not make" "on the host: ls -l '$path'; rm '$path'"
  [ -d "$place" ] || mark_managed directory "$path"
  mkdir -p "$place"
else
  # a directory without an owner is mounted by its path, into a container or for a service
  [ -n "$owner" ] || fail "$path is in a directory that is not root's, whose owner could put a link in its place" \
    'declare another directory, for example below /srv' "see whose this one is, on the host: namei -l '$path'"
  [ -d "$path" ] || mark_managed directory "$path"
  make_within "$path" || fail "$path is not made: its path leads through a link that root did not make" \
    "on the host: namei -l '$path'"
fi
[ -z "$owner" ] || within "$path" chown "$owner" . || fail "cannot give $path to $owner" "on the host: namei -l '$path'"
[ -z "$mode" ] || within "$path" chmod "$mode" .
