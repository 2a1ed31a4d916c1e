# Confirms a change of the firewall: the host keeps it. This script comes over an SSH connection that is newer than the change.
#   token: of the change
: "${token:?}" "${revert:?}" "${reverted:?}"
set -u
lock_revert || exit 1
armed=''
read_armed
reply=late
if [ "$armed" = "$token" ]; then
  rm -f "$reverted"
  forget_change
  reply=confirmed
fi
unlock_revert
printf '\n%s\n' "$reply" # what the login printed may have no line end
[ "$reply" = confirmed ] || exit 0
stop_timer "$token"
timeout 20 systemctl daemon-reload
