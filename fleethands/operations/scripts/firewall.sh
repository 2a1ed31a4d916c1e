# Loads our own nftables table, in one transaction, now and at boot. No other table is touched.
: "${rules:?}" "${loaded:?}"
systemctl daemon-reload
systemctl reenable --quiet fleethands-firewall.service
systemctl reload-or-restart fleethands-firewall.service || {
  journalctl -u fleethands-firewall.service -n 10 --no-pager -o cat >&2
  fail 'the firewall does not load' "on the host: nft --check --file $rules"
}
[ -s "$loaded" ] || fail 'the firewall did not say what it loaded'
