# Removes a directory that fleethands created, with its content.
#   path
: "${path:?}" "${ledger:?}"
remove_tree "$path"
unmark_managed directory "$path"
# managed directories below it are removed with it
if [ -f "$ledger" ]; then
  below="directory $path/" awk 'index($0, ENVIRON["below"]) != 1' "$ledger" | atomic_file "$ledger" 0644 root:root
fi
