# Writes the settings that OpenHands reads, and what of them we chose.
: "${owner:?}" "${seed_path:?}" "${settings_path:?}" "${seed:?}" "${settings:?}"
printf %s "$seed" | atomic_file "$seed_path" 0600 root:root
printf %s "$settings" | atomic_file "$settings_path" 0600 "$owner"
