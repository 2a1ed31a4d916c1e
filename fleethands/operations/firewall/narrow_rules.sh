# Closes what is declared and no more: nothing of ours listens on the rest, or will.
: "${text:?}" "${rules:?}"
printf %s "$text" | atomic_file "$rules" 0644 root:root
load_table
