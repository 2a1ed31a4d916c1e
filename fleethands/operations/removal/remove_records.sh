# Removes the records of fleethands, except what a later removal needs.
#   keep: lines of the ownership manifest that stay
: "${keep?}" "${ledger:?}"
systemctl stop 'fleethands-fetch-*' 'fleethands-pull-*' 2>/dev/null || true # left by a run that was aborted
find /run/fleethands -mindepth 1 -maxdepth 1 -not -name 'lock*' -exec rm -rf {} +
rmdir /etc/fleethands 2>/dev/null || true
if [ -z "$keep" ]; then rm -rf /var/lib/fleethands; exit 0; fi
find /var/lib/fleethands -mindepth 1 -maxdepth 1 -not -path "$ledger" -exec rm -rf {} +
printf '%s\n' "$keep" | atomic_file "$ledger" 0644 root:root
