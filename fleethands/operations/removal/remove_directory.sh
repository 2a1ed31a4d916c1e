# Removes a directory that fleethands made, with all it holds.
: "${path:?}" "${ledger:?}"
remove_tree "$path"
unmark_managed directory "$path"
# what was made in it has gone with it
if [ -f "$ledger" ]; then
  below="directory $path/" awk 'index($0, ENVIRON["below"]) != 1' "$ledger" | atomic_file "$ledger" 0644 root:root
fi
