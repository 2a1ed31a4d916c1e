# Stops renewing the certificate of the gateway by ACME, and removes the account and all files. certbot's package stays.
#   unit_path, timer_path: files of units; folder: all other files
: "${unit_path:?}" "${timer_path:?}" "${folder:?}"
systemctl disable --quiet --now fleethands-gateway-renew.timer 2>/dev/null || true
systemctl stop fleethands-gateway-renew.service 2>/dev/null || true
rm -f "$unit_path" "$timer_path" /run/fleethands/acme.lock /var/lib/systemd/timers/stamp-fleethands-gateway-renew.timer
remove_tree "$folder"
systemctl daemon-reload
systemctl reset-failed fleethands-gateway-renew.service 2>/dev/null || true
