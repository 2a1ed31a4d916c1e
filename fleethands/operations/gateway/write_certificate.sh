# Writes the gateway's certificate and its key.
: "${certificate:?}" "${key:?}" "${certificate_path:?}" "${key_path:?}" "${owner:?}"
# a reload between the two fails, and the gateway keeps those that it has
printf %s "$key" | atomic_file "$key_path" 0640 "$owner"
printf %s "$certificate" | atomic_file "$certificate_path" 0640 "$owner"
