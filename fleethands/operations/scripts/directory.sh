# Makes one directory, with its owner and mode; what it holds stays as it is.
: "${path:?}" "${mode?}" "${owner?}"
[ -d "$path" ] || made directory "$path"
mkdir -p "$path"
[ -z "$owner" ] || chown "$owner" "$path"
[ -z "$mode" ] || chmod "$mode" "$path"
