# Creates a system user without a login, and adds it to groups.
#   name, home; groups: names with blanks between them
#   roots_home: yes if root owns the home, because root creates directories in it
: "${name:?}" "${home:?}" "${groups?}" "${roots_home:?}"
getent passwd "$name" >/dev/null || {
  mark_managed user "$name"
  if getent group "$name" >/dev/null; then
    useradd --system --shell /bin/false --gid "$name" --home-dir "$home" --no-create-home "$name"
  else
    useradd --system --shell /bin/false --user-group --home-dir "$home" --no-create-home "$name"
  fi
}
for group in $groups; do usermod --append --groups "$group" "$name"; done
place=$(real_path "$home") && [ ! -L "$place" ] ||
  fail "$home, the home of $name, is in a directory that is not root's, or is a link" "see whose it is, on the host: namei -l '$home'"
if [ ! -d "$place" ]; then
  mkdir -p "$place"
  [ "$roots_home" = yes ] || chown -h "$name:$name" "$place"
elif [ "$roots_home" = yes ] && [ "$(stat -c %U "$place")" = "$name" ]; then
  chown -h root:root "$place" # root creates directories in it, and the user could replace them by symlinks
  chmod go-w "$place"
fi
