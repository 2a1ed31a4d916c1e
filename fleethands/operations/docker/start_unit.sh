# Starts a unit now and at boot.
#   unit
: "${unit:?}"
systemctl daemon-reload
systemctl enable --quiet "$unit"
systemctl start "$unit" || {
  journalctl -u "$unit" -n 15 --no-pager -o cat >&2
  fail "$unit does not start" "on the host: systemctl status $unit"
}
