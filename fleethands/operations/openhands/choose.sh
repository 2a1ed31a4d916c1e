# Writes the settings file that OpenHands reads, and a record of the settings that fleethands chose.
#   seed, seed_path: that record; owner: UID:GID or name of the user OpenHands runs as
: "${owner:?}" "${seed_path:?}" "${settings_path:?}" "${seed:?}" "${settings:?}"
printf %s "$seed" | atomic_file "$seed_path" 0600 root:root
printf %s "$settings" | atomic_file "$settings_path" 0600 "$owner"
