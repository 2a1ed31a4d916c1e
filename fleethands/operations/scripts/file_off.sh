# Removes one file that is not needed any more.
: "${path:?}"
rm -f "$path"
