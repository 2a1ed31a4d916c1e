# Stops the sentinel, and removes its files and results.
#   folder, results: directories; unit_path, timer_path: files
: "${folder:?}" "${results:?}" "${unit_path:?}" "${timer_path:?}"
systemctl disable --quiet --now fleethands-sentinel.timer 2>/dev/null || true
systemctl stop fleethands-sentinel.service 2>/dev/null || true
rm -rf "$folder" "$results"
rm -f "$unit_path" "$timer_path"
systemctl daemon-reload
systemctl reset-failed fleethands-sentinel.service 2>/dev/null || true
