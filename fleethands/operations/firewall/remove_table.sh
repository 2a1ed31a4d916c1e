# Removes the nftables table of fleethands, and its files.
#   files: one a line
: "${files:?}"
require_revert_lock
keep_change
systemctl disable --quiet --now fleethands-firewall.service 2>/dev/null || true
nft list table inet fleethands >/dev/null 2>&1 && nft delete table inet fleethands
printf '%s\n' "$files" | while IFS= read -r file; do rm -f "$file"; done
rm -f /run/fleethands/firewall /run/fleethands/firewall.new
systemctl daemon-reload
