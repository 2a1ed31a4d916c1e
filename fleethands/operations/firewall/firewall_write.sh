# Writes the rules' file where these rules close no way in: from here on they count as what this host has closed.
: "${text:?}" "${rules:?}"
no_way_in_is_closed
printf %s "$text" | atomic_file "$rules" 0644 root:root
