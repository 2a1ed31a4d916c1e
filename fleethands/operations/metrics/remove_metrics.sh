# Stops the timer of the metrics, and removes all that belongs to them.
#   files: one a line, the last one is what a later run looks for; directory, runtime, stored: directories; stored_link: a symlink
: "${files:?}" "${directory:?}" "${runtime:?}" "${stored:?}" "${stored_link:?}"
systemctl disable --quiet --now fleethands-metrics.timer 2>/dev/null || true
systemctl stop fleethands-metrics.service 2>/dev/null || true
remove_textfile
rm -rf "$runtime" "$stored"
[ ! -L "$stored_link" ] || rm -f "$stored_link"
printf '%s\n' "$files" | while IFS= read -r file; do rm -f "$file"; done
rmdir "$directory" 2>/dev/null || true
systemctl daemon-reload
systemctl reset-failed fleethands-metrics.service fleethands-metrics.timer 2>/dev/null || true
