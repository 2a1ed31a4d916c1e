# Writes the files of the sentinel, and starts its timer.
#   watcher, proof, secrets, unit, timer: texts, each with its path; secrets: empty for none
#   proof_link: the symlink to the proof's script, whose name has its sha256
: "${watcher:?}" "${watcher_path:?}" "${proof:?}" "${proof_path:?}" "${proof_link:?}" "${secrets?}" "${secrets_path:?}"
: "${unit:?}" "${unit_path:?}" "${timer:?}" "${timer_path:?}"
printf %s "$proof" | atomic_file "$proof_path" 0600 root:root
ln -sfn "${proof_path##*/}" "$proof_link.new"
mv -fT "$proof_link.new" "$proof_link"
find "${proof_path%/*}" -maxdepth 1 -name 'proof-*.sh' ! -path "$proof_path" -delete
if [ -n "$secrets" ]; then printf %s "$secrets" | atomic_file "$secrets_path" 0600 root:root; else rm -f "$secrets_path"; fi
printf %s "$watcher" | atomic_file "$watcher_path" 0600 root:root
printf %s "$unit" | atomic_file "$unit_path" 0644 root:root
printf %s "$timer" | atomic_file "$timer_path" 0644 root:root
systemctl daemon-reload
systemctl enable --quiet fleethands-sentinel.timer
systemctl restart fleethands-sentinel.timer
