# Removes one file that is not needed any more.
: "${path:?}"
[ ! -e "$path" ] && [ ! -L "$path" ] || within "$(dirname "$path")" rm -f "./$(basename "$path")"
