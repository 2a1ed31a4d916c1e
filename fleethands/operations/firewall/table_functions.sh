# Functions for the nftables table of fleethands: they check that SSH stays open, and load the table.
#   rules: the file of the rules; loaded: the file that says which rules are loaded
#   ports: that the rules close; published: ranges of ports that the rules close
: "${rules:?}" "${loaded:?}" "${ports:?}" "${published?}"

# ssh_connection: prints `CLIENT PORT SERVER PORT` of this session, by sshd's variable, which sudo hides from its children
ssh_connection() {
  pid=$$
  while [ "${pid:-1}" -gt 1 ]; do
    found=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
    [ -z "$found" ] || break
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
  done
  echo "$found"
}

# sshd_addresses: prints `ADDRESS PORT` where sshd listens, or systemd for sshd. Loopback addresses are never closed.
sshd_addresses() {
  {
    ss -Hltnp | sed -n '/"sshd"/s/^[^ ]* *[^ ]* *[^ ]* *\([^ ]*\) .*/\1/p'
    systemctl show ssh.socket sshd.socket --property Listen --value 2>/dev/null | sed -n 's/^\([^ ]*\) (Stream)$/\1/p'
  } | sed -n 's/^\(.*\):\([0-9]*\)$/\1 \2/p' | sed 's/^\[\(.*\)\] /\1 /' | grep -v '^127\.\|^::1 ' || true
}

# would_close PORT ADDRESS: status 0 if the rules close a port of the host to other machines
would_close() {
  case " $ports " in *" $1 "*) return 0 ;; esac
  case $2 in *:* | '*') ;; *) return 1 ;; esac
  for range in $published; do
    [ "$1" -lt "${range%-*}" ] || [ "$1" -gt "${range#*-}" ] || return 0
  done
  return 1
}

check_ssh_stays_open() {
  connection=$(ssh_connection)
  if [ -n "$connection" ]; then
    there=${connection% *}
    ! would_close "${connection##* }" "${there##* }" ||
      fail "SSH came in by port ${connection##* } of ${there##* }, which the firewall would close" \
        'in the inventory: let it come in by another port (ssh_port), or close the ports yourself (firewall: False)'
  fi
  sshd_addresses | while read -r address port; do
    ! would_close "$port" "$address" ||
      fail "sshd listens on port $port of $address, which the firewall would close" \
        'in the inventory: close the ports yourself (firewall: False); or have sshd listen elsewhere, on the host: grep -rn Port /etc/ssh'
  done || stop
}

load_table() {
  systemctl daemon-reload
  systemctl reenable --quiet fleethands-firewall.service
  systemctl restart fleethands-firewall.service || {
    journalctl -u fleethands-firewall.service -n 10 --no-pager -o cat >&2
    revert_now failed
    fail 'the firewall does not load' "on the host: nft --check --file $rules"
  }
  [ -s "$loaded" ] || fail 'the firewall did not say what it loaded'
  await_confirmation
}
