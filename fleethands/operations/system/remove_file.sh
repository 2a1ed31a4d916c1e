# Removes a file.
#   path
: "${path:?}"
[ ! -e "$path" ] && [ ! -L "$path" ] || within "$(dirname "$path")" rm -f "./$(basename "$path")"
