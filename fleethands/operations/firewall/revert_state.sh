# Functions for a change of the firewall that waits for its confirmation, and for what the host keeps of it.
#   revert: directory with the firewall from before; reverted: file that says what the host restored last
#   revert_unit: file of the unit that restores the firewall after a reboot
: "${revert:?}" "${reverted:?}" "${revert_unit:?}"
wanted=/etc/systemd/system/multi-user.target.wants/${revert_unit##*/}

# lock_revert: a change is armed, confirmed or reverted by one process at a time. None needs longer than 40 s, even if systemd hangs.
lock_revert() {
  mkdir -p /run/fleethands
  mask=$(umask)
  umask 077
  exec 7>>/run/fleethands/lock.revert
  umask "$mask"
  flock -w 40 7
}

require_revert_lock() {
  lock_revert || fail 'another process has been changing the firewall of this host for 40 s' \
    'which process, on the host: find /proc/[0-9]*/fd -lname /run/fleethands/lock.revert'
}

unlock_revert() { exec 7>&-; }

# read_armed: `armed` becomes the token of the change that waits; empty without one
read_armed() {
  armed=''
  { read -r armed; } 2>/dev/null <"$revert/armed" || true
}

# stop_timer TOKEN
stop_timer() { [ -z "$1" ] || timeout 10 systemctl stop "fleethands-revert-$1.timer" 2>/dev/null || true; }

# sync_revert: so that a power cut neither loses a change that waits nor reverts one that is confirmed
sync_revert() { sync "${revert%/*}" "${revert_unit%/*}" "${wanted%/*}" 2>/dev/null || true; }

# forget_change: `armed` goes before what it needs
forget_change() {
  rm -f "$wanted" "$revert_unit" "$revert/armed"
  rm -rf "$revert"
  sync_revert
}

# keep_change: the host reverts it no longer. The caller has the lock.
keep_change() {
  read_armed
  rm -f "$reverted"
  forget_change
  unlock_revert
  stop_timer "$armed"
}
