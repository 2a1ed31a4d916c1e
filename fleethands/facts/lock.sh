# Whose turn it was last, which run holds this host, and which person does. Each file is read in one go: others replace
# them meanwhile.
: "${turn:?}" "${described:?}" "${hold:?}"

read_lock() {
  need base64 tr date stat || return $?
  last=$(cat "$turn") && [ -n "$last" ] && echo "turn $last"
  said=$(cat "$described") && [ -n "$said" ] && sign=$(stat -c %Y "$described") &&
    echo "run $(($(date +%s) - sign)) $(printf %s "$said" | encoded)"
  said=$(cat "$hold") && [ -n "$said" ] && echo "hold $(printf %s "$said" | encoded)"
  true
}
