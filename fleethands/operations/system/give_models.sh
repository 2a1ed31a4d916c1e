# Gives Ollama the files that root copied into its store. Symlinks in it are not followed.
#   path: the store, or the directory above it
: "${path:?}"
ollama=$(numbers_of ollama)
others() { as_owner "$ollama" 60 find "$path/" -xdev ! -uid "${ollama%:*}" ! -writable "$@" 2>/dev/null | head -c 1000; }
for round in 1 2 3; do # the content of a directory is readable only after Ollama owns the directory
  [ -n "$(others -uid 0 -printf "$round")" ] || break
  give_tree "$path" 0 "$ollama" || fail "$path can't be given to ollama" "on the host: namei -l '$path'; findmnt -T '$path'"
done
left=$(others -uid 0 -printf '%p\n' | head -n 1)
[ -z "$left" ] || fail "$left stays root's: it has a second name somewhere" "on the host: chown ollama: '$left'"
