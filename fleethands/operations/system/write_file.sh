# Writes a file as a whole.
#   path, mode, owner, content
: "${path:?}" "${mode:?}" "${owner:?}" "${content?}"
printf %s "$content" | atomic_file "$path" "$mode" "$owner"
# systemd has to reload a changed unit, otherwise the service counts as outdated
case $path in /etc/systemd/system/*) systemctl daemon-reload ;; esac
