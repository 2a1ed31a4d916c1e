# This script is stored on the host while a change of the firewall waits for its confirmation. It restores the firewall from before.
#   $1: token of the change, or `boot`; $2: the reason: timeout (unless given) or failed
#   rules, watcher, unit, loaded: files of the firewall
: "${rules:?}" "${watcher:?}" "${unit:?}" "${loaded:?}" "${revert:?}" "${reverted:?}"
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

lock_revert
{ read -r token && read -r boot && read -r run && read -r who; } 2>/dev/null <"$revert/armed" || exit 0
if [ "$1" = boot ]; then
  [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ] || exit 0
  why=reboot
else
  [ "$1" = "$token" ] || exit 0
  why=${2:-timeout}
fi

remove_table() {
  rm -f "$loaded"
  ! nft list table inet fleethands >/dev/null 2>&1 || nft delete table inet fleethands
}

if [ -f "$revert/rules" ]; then cp -p "$revert/rules" "$rules.new" && mv -f "$rules.new" "$rules"; else rm -f "$rules"; fi
# after a boot nothing is loaded yet: the unit of the firewall starts after this script
if [ "$why" = reboot ]; then
  [ -e "$revert/enabled" ] || systemctl --no-block stop fleethands-firewall.service
elif [ -e "$revert/loaded" ] && [ -f "$revert/rules" ]; then
  sh "$watcher" load || remove_table
else
  systemctl stop fleethands-firewall.service
  remove_table
fi
[ -e "$revert/enabled" ] || systemctl disable --quiet fleethands-firewall.service 2>/dev/null
[ -f "$revert/rules" ] || rm -f "$watcher" "$unit"

printf '%s\n' "$token" "$why" "$run" "$(date -u '+%Y-%m-%d %H:%M:%S UTC')" "$who" >"$reverted.new"
mv -f "$reverted.new" "$reverted"
logger -t fleethands -- "restored the previous firewall: $why, run $run" || true
forget_change
[ "$why" = reboot ] || systemctl daemon-reload
exit 0
