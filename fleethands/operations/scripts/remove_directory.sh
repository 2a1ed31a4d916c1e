# Removes a directory that fleethands made, with all it holds.
: "${path:?}"
rm -rf --one-file-system "$path"
unmade directory "$path"
