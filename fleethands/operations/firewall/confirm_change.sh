# Confirms a change of the firewall: the host keeps it. This script comes over an SSH connection that is newer than the change.
#   token: of the change
: "${token:?}" "${revert:?}" "${reverted:?}"
set -u
lock_revert
armed=''
read_armed
if [ "$armed" = "$token" ]; then
  forget_change
  rm -f "$reverted"
  stop_timer "$token"
  echo confirmed
  systemctl daemon-reload
else
  echo late
fi
