# Stops the gateway and removes its files. The package of nginx stays; its own service was never started, and stays off.
#   files: one a line; service; cache, directory; drained: marks of hosts that are taken out
: "${drained:?}" "${files:?}" "${service:?}" "${cache:?}" "${directory:?}" "${ledger:?}"
systemctl disable --quiet --now "$service" 2>/dev/null || true
printf '%s\n' "$files" | while IFS= read -r file; do rm -f "$file"; done
remove_tree "$cache"
systemctl stop 'fleethands-return-*.timer' 2>/dev/null || true
rm -rf "$drained" "$drained.lock"
rmdir "$directory" 2>/dev/null || true
# unless an administrator has unmasked it since
if grep -qxsF 'mask nginx.service' "$ledger"; then
  if [ "$(readlink /etc/systemd/system/nginx.service)" = /dev/null ]; then
    rm -f /etc/systemd/system/multi-user.target.wants/nginx.service /etc/systemd/system/nginx.service
  fi
  unmark_managed mask nginx.service
fi
systemctl daemon-reload
systemctl reset-failed "$service" 2>/dev/null || true
