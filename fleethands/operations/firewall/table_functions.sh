# Our own nftables table: what it may close, and how it is loaded.
: "${rules:?}" "${loaded:?}" "${ports:?}" "${published?}"

# the connection by which this session came in, as sshd says it: `CLIENT PORT SERVER PORT`; sudo hides it from its children
ssh_connection() {
  pid=$$
  while [ "${pid:-1}" -gt 1 ]; do
    found=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
    [ -z "$found" ] || break
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
  done
  echo "$found"
}

# where sshd listens, or systemd for it, as `ADDRESS PORT`; its forwards and the host itself are not closed
sshd_addresses() {
  {
    ss -Hltnp | sed -n '/"sshd"/s/^[^ ]* *[^ ]* *[^ ]* *\([^ ]*\) .*/\1/p'
    systemctl show ssh.socket sshd.socket --property Listen --value 2>/dev/null | sed -n 's/^\([^ ]*\) (Stream)$/\1/p'
  } | sed -n 's/^\(.*\):\([0-9]*\)$/\1 \2/p' | sed 's/^\[\(.*\)\] /\1 /' | grep -v '^127\.\|^::1 ' || true
}

# closes PORT ADDRESS: whether these rules close a port of the host's to the outside
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
  check_ssh_stays_open
  systemctl daemon-reload
  systemctl reenable --quiet fleethands-firewall.service
  systemctl restart fleethands-firewall.service || {
    journalctl -u fleethands-firewall.service -n 10 --no-pager -o cat >&2
    fail 'the firewall does not load' "on the host: nft --check --file $rules"
  }
  [ -s "$loaded" ] || fail 'the firewall did not say what it loaded'
}
