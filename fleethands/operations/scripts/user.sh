# Creates a system user without a login, and puts it into groups.
: "${name:?}" "${home:?}" "${groups?}"
getent passwd "$name" >/dev/null || {
  made user "$name"
  if getent group "$name" >/dev/null; then
    useradd --system --shell /bin/false --gid "$name" --home-dir "$home" --no-create-home "$name"
  else
    useradd --system --shell /bin/false --user-group --home-dir "$home" --no-create-home "$name"
  fi
}
for group in $groups; do usermod --append --groups "$group" "$name"; done
if [ ! -d "$home" ]; then
  mkdir -p "$home"
  chown "$name:$name" "$home"
fi
