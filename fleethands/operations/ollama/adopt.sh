# Keeps a copy of one foreign file or directory below $place, under its own path. Earlier copies are never overwritten.
#   move: yes to move it there instead
: "${path:?}" "${place:?}" "${move:?}"
kept=$place$path
mkdir -p "$(dirname "$place")"
[ -d "$place" ] || mkdir -m 0700 "$place" # settings may hold secrets
mkdir -p "$(dirname "$kept")"

check_space() {
  needed=$(du -sk "$path" | cut -f 1)
  free=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
  [ "$(stat -c %d "$path")" = "$(stat -c %d "$place")" ] || [ "$needed" -lt "$free" ] ||
    fail "no room to keep $path: $((needed / 1024)) MiB are needed, $((free / 1024)) MiB free" "on the host: df -h $place"
}

[ -e "$path" ] || [ -L "$path" ] || exit 0
note_adoption "kept $path"
if [ "$move" = yes ]; then
  check_space
  mv --backup=numbered -T "$path" "$kept"
elif [ -L "$path" ] || ! cmp -s "$path" "$kept"; then
  cp -a --backup=numbered -T "$path" "$kept"
  sync -f "$place"
fi
# systemd would ask for a reload, and so for a restart, later
case $move$path in yes*/systemd/*) systemctl daemon-reload ;; esac
