# Removes the metrics from the directory of node_exporter. The directory belongs to another package.
#   textfile_record: the file that remembers the directory; published: name of the file in it
: "${textfile_record:?}" "${published:?}"
remove_textfile() {
  place=$(cat "$textfile_record" 2>/dev/null) || place=''
  [ -z "$place" ] || [ ! -d "$place" ] || within "$place" rm -f "./$published" "./.$published.new" || true
}
