# Writes one file, whole or not at all.
: "${path:?}" "${mode:?}" "${owner:?}" "${content?}"
printf %s "$content" | atomic_file "$path" "$mode" "$owner"
# a unit that systemd has not read would ask for a restart later
case $path in /etc/systemd/system/*) systemctl daemon-reload ;; esac
