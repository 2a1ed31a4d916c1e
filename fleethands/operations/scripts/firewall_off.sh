# Takes our own nftables table away.
: "${rules:?}" "${unit:?}"
systemctl disable --quiet --now fleethands-firewall.service 2>/dev/null || true
nft list table inet fleethands >/dev/null 2>&1 && nft delete table inet fleethands
rm -f "$rules" "$unit" /run/fleethands/firewall
systemctl daemon-reload
