# Functions that let a host revert a change of its firewall by itself, unless a new SSH connection confirms it in time.
#   confirms: key by which the controller knows the lines of this script; empty where it makes no new SSH connection
#   delay: seconds until the host reverts the change; run: the lock token, for the record
#   rules, watcher, unit: files of the firewall; restore: text of the script that restores them
: "${confirms=}" "${run=}" "${delay:?}" "${rules:?}" "${watcher:?}" "${unit:?}" "${restore:?}" "${revert:?}" "${revert_unit:?}" "${wanted:?}" "${reverted:?}"
token=''

store_firewall() {
  rm -rf "$revert"
  mkdir -p "$revert"
  chmod 0700 "$revert"
  for each in "$rules" "$watcher" "$unit"; do
    [ ! -f "$each" ] || cp -p "$each" "$revert"
  done
  nft list table inet fleethands >"$revert/loaded" 2>/dev/null || rm -f "$revert/loaded"
  if timeout 10 systemctl is-enabled --quiet fleethands-firewall.service 2>/dev/null; then : >"$revert/enabled"; fi
  printf %s "$restore" >"$revert/restore.sh"
  sync "$revert"/*
}

revert_at_boot() {
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
  mkdir -p "${wanted%/*}"
  ln -sfn "$revert_unit" "$wanted"
}

# arm_revert REASON: from now on, the host restores its present firewall after `delay` seconds, and says REASON. A change of a run
# that died keeps what it had stored, because its own rules were never confirmed. The caller has the lock.
arm_revert() {
  if [ -z "$confirms" ]; then
    keep_change
    return
  fi
  read_armed
  [ -n "$armed" ] || store_firewall
  token=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  said=$(timeout 10 systemd-run --quiet --collect --unit "fleethands-revert-$token" --on-active "$delay" \
    --timer-property AccuracySec=100ms /bin/sh "$revert/restore.sh" "$token" "$1" 2>&1) || {
    [ -n "$armed" ] || forget_change
    said=$(printf %s "$said" | head -c 300 | head -n 1)
    fail "this host cannot revert the change by itself, so it was not made: ${said:-systemd did not answer in 10 s}" \
      'on the host: systemctl list-timers --all'
  }
  printf '%s\n' "$token" "$(cat /proc/sys/kernel/random/boot_id)" "$run" \
    "$(sed -n 2p /run/fleethands/lock.json 2>/dev/null | head -c 300)" >"$revert/armed.new"
  sync "$revert/armed.new"
  mv -f "$revert/armed.new" "$revert/armed"
  sync "$revert"
  revert_at_boot # after `armed`: if the script is killed in between, the next plan finds `armed`, and would not find the unit
  sync_revert
  unlock_revert
  stop_timer "$armed"
}

# revert_now REASON
revert_now() { [ -z "$token" ] || sh "$revert/restore.sh" "$token" "$1" || true; }

# await_confirmation: until a new SSH connection has confirmed the change, or the host has reverted it
await_confirmation() {
  [ -n "$token" ] || return 0
  echo "confirm: $confirms $token $delay"
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
      'see in the plan which of the new rules blocks SSH' \
      'see the rules of other programs, on the host: nft list ruleset'
  sync_revert
}
