# Writes one file, whole or not at all.
: "${path:?}" "${mode:?}" "${owner:?}" "${content?}"
printf %s "$content" | atomic_file "$path" "$mode" "$owner"
