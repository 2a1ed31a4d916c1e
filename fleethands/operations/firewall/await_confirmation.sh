# Functions that let a host revert a change of its firewall by itself, unless a new SSH connection confirms it in time.
#   run: the lock token, because only a run that locks its hosts confirms; delay: seconds until the host reverts the change
#   rules: the file of the rules; restore: text of the script that restores the firewall
: "${run=}" "${delay:?}" "${rules:?}" "${restore:?}" "${revert:?}" "${revert_unit:?}" "${reverted:?}"
token=''

store_firewall() {
  rm -rf "$revert"
  mkdir -p "$revert"
  chmod 0700 "$revert"
  [ ! -f "$rules" ] || cp -p "$rules" "$revert/rules"
  if nft list table inet fleethands >/dev/null 2>&1; then : >"$revert/loaded"; fi
  if systemctl is-enabled --quiet fleethands-firewall.service 2>/dev/null; then : >"$revert/enabled"; fi
  printf %s "$restore" >"$revert/restore.sh"
  atomic_file "$revert_unit" 0644 root:root <<UNIT
# Written by fleethands.
[Unit]
Description=Restores the firewall of fleethands after a reboot that came before the confirmation of its change
DefaultDependencies=no
After=local-fs.target
Before=fleethands-firewall.service network-pre.target shutdown.target
Conflicts=shutdown.target
RequiresMountsFor=$revert

[Service]
Type=oneshot
ExecStart=/bin/sh $revert/restore.sh boot

[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p /etc/systemd/system/multi-user.target.wants
  ln -sfn "$revert_unit" "/etc/systemd/system/multi-user.target.wants/${revert_unit##*/}"
  sync "$revert"/*
}

# arm_revert: from now on, the host restores its present firewall after `delay` seconds. A change of a run that died keeps what it
# had stored, because its own rules were never confirmed.
arm_revert() {
  if [ -z "$run" ] || [ -z "$(ssh_connection)" ]; then
    keep_change
    return
  fi
  lock_revert
  read_armed
  [ -n "$armed" ] || store_firewall
  token=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  said=$(systemd-run --quiet --collect --unit "fleethands-revert-$token" --on-active "$delay" --timer-property AccuracySec=100ms \
    /bin/sh "$revert/restore.sh" "$token" 2>&1) || {
    [ -n "$armed" ] || forget_change
    fail "this host cannot revert the change by itself, so it was not made: $(printf %s "$said" | head -c 300 | head -n 1)" \
      'on the host: systemctl list-timers --all'
  }
  printf '%s\n' "$token" "$(cat /proc/sys/kernel/random/boot_id)" "$run" \
    "$(sed -n 2p /run/fleethands/lock.json 2>/dev/null | head -c 300)" >"$revert/armed.new"
  sync "$revert/armed.new"
  mv -f "$revert/armed.new" "$revert/armed"
  stop_timer "$armed"
  unlock_revert
}

# revert_now REASON
revert_now() { [ -z "$token" ] || sh "$revert/restore.sh" "$token" "$1" || true; }

# await_confirmation: until a new SSH connection has confirmed the change, or the host has reverted it
await_confirmation() {
  [ -n "$token" ] || return 0
  echo "confirm: $token $delay"
  tick=0
  read_armed
  while [ "$armed" = "$token" ] && [ "$tick" -lt $((delay * 10 + 200)) ]; do
    sleep 0.1
    tick=$((tick + 1))
    [ "$tick" -ne 30 ] || echo 'progress: waiting for a new SSH connection that confirms the firewall'
    read_armed
  done
  [ "$armed" != "$token" ] || revert_now timeout
  ! grep -qsxF "$token" "$reverted" ||
    fail "no new SSH connection was possible within $delay s, so this host restored its previous firewall" \
      'see which rule closes the way of SSH, on the host: nft list ruleset'
}
