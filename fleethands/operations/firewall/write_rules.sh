# Writes the rules' file where these rules close no way in: from here on they count as what this host has closed.
: "${text:?}" "${rules:?}"
check_ssh_stays_open
printf %s "$text" | atomic_file "$rules" 0644 root:root
