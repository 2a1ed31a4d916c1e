# Installs the collector of metrics and its timer, and collects once.
#   collect, publish, declared, unit, timer: texts of files, and collect_path … timer_path where they go
#   watched: files whose digests go to sums_path; textfile: directory of node_exporter, or empty; textfile_record: file that has it
: "${collect:?}" "${publish:?}" "${declared:?}" "${unit:?}" "${timer:?}" "${textfile?}" "${watched:?}"
: "${collect_path:?}" "${publish_path:?}" "${declared_path:?}" "${sums_path:?}" "${unit_path:?}" "${timer_path:?}" "${textfile_record:?}"

# sums: digests of the watched files that every account may read
sums() {
  for file in $watched; do
    [ -z "$(find "$file" -maxdepth 0 -type f -perm -0004 2>/dev/null)" ] || sha256sum "$file"
  done
}

[ "$(cat "$textfile_record" 2>/dev/null)" = "$textfile" ] || remove_textfile
printf %s "$textfile" | atomic_file "$textfile_record" 0644 root:root
printf %s "$collect" | atomic_file "$collect_path" 0644 root:root
printf %s "$publish" | atomic_file "$publish_path" 0644 root:root
printf %s "$declared" | atomic_file "$declared_path" 0644 root:root
sums | atomic_file "$sums_path" 0644 root:root
printf %s "$unit" | atomic_file "$unit_path" 0644 root:root
printf %s "$timer" | atomic_file "$timer_path" 0644 root:root
systemctl daemon-reload
systemctl enable --quiet fleethands-metrics.timer
systemctl restart fleethands-metrics.timer
systemctl start fleethands-metrics.service || {
  journalctl -u fleethands-metrics -n 5 --no-pager -o cat >&2
  fail 'the metrics are not collected' 'on the host: systemctl start fleethands-metrics; journalctl -u fleethands-metrics -n 20'
}
