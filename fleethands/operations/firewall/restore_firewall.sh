# This script is stored on the host while a change of the firewall waits for its confirmation. It restores the firewall from before.
#   $1: token of the change, or `boot`; $2: the reason: timeout, unloaded or failed
#   rules, watcher, unit, loaded: files of the firewall
: "${rules:?}" "${watcher:?}" "${unit:?}" "${loaded:?}" "${revert:?}" "${reverted:?}"
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

lock_revert || true # a stopped process must not keep SSH out
{ read -r token && read -r boot && read -r run && read -r who; } 2>/dev/null <"$revert/armed" || exit 0
if [ "$1" = boot ]; then
  [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ] || exit 0
  why=reboot
else
  [ "$1" = "$token" ] || exit 0
  why=$2
fi

# load_stored: the table as the kernel had it, if the files of the firewall do not load it
load_stored() {
  rm -f "$loaded"
  { printf '%s table inet fleethands\n' add delete && cat "$revert/loaded"; } | timeout 10 nft --file -
}

remove_table() {
  rm -f "$loaded"
  ! nft list table inet fleethands >/dev/null 2>&1 || nft delete table inet fleethands
}

for each in "$rules" "$watcher" "$unit"; do
  stored=$revert/${each##*/}
  if [ -f "$stored" ]; then cp -p "$stored" "$each.new" && mv -f "$each.new" "$each"; else rm -f "$each"; fi
done
sync "${rules%/*}" "$rules" "$watcher" "$unit" 2>/dev/null || true
# after a boot nothing is loaded yet: the unit of the firewall starts after this script
if [ "$why" = reboot ]; then
  [ -e "$revert/enabled" ] || timeout 10 systemctl --no-block stop fleethands-firewall.service
elif [ -e "$revert/loaded" ]; then
  timeout 10 sh "$watcher" load || load_stored || remove_table
else
  timeout 10 systemctl stop fleethands-firewall.service
  remove_table
fi
[ -e "$revert/enabled" ] || timeout 10 systemctl disable --quiet fleethands-firewall.service 2>/dev/null

printf '%s\n' "$token" "$why" "$run" "$(date -u '+%Y-%m-%d %H:%M:%S UTC')" "$who" >"$reverted.new"
mv -f "$reverted.new" "$reverted"
forget_change
unlock_revert
logger -t fleethands -- "restored the previous firewall: $why, run $run" || true
[ "$why" != reboot ] || exit 0
timeout 20 systemctl daemon-reload
timeout 10 systemctl --no-block try-restart fleethands-firewall.service 2>/dev/null # its watcher may be another one
exit 0
