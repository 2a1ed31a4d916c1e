# Functions for a change of the firewall that waits for its confirmation, and for what the host keeps of it.
#   revert: directory with the firewall from before; reverted: file that says what the host restored last
#   revert_unit: file of the unit that restores the firewall after a reboot
: "${revert:?}" "${reverted:?}" "${revert_unit:?}"

# lock_revert: a change is armed, confirmed or reverted by one process at a time
lock_revert() {
  mkdir -p /run/fleethands
  mask=$(umask)
  umask 077
  exec 7>>/run/fleethands/lock.revert
  umask "$mask"
  flock 7
}

unlock_revert() { exec 7>&-; }

# read_armed: `armed` becomes the token of the change that waits; empty without one
read_armed() {
  armed=''
  { read -r armed; } 2>/dev/null <"$revert/armed" || true
}

# stop_timer TOKEN
stop_timer() { [ -z "$1" ] || systemctl stop "fleethands-revert-$1.timer" 2>/dev/null || true; }

forget_change() {
  rm -f "$revert/armed" "/etc/systemd/system/multi-user.target.wants/${revert_unit##*/}" "$revert_unit"
  rm -rf "$revert"
}

# keep_change: the host reverts it no longer
keep_change() {
  lock_revert
  read_armed
  forget_change
  rm -f "$reverted"
  unlock_revert
  stop_timer "$armed"
}
