# Writes the file of the rules, if they keep the way in by SSH open. The next run keeps all ports closed that the file closes.
#   text: the rules; rules: their file
: "${text:?}" "${rules:?}"
check_ssh_stays_open
printf %s "$text" | atomic_file "$rules" 0644 root:root
