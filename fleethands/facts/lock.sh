# The lock token, the run lock with the age of its heartbeat, and the manual lock. Each file is read at once, because
# other processes replace them.
: "${turn:?}" "${described:?}" "${hold:?}"

read_lock() {
  need base64 tr date stat || return $?
  [ -e "$turn" ] && last=$(cat "$turn") && [ -n "$last" ] && printf '%s\n' "turn $last"
  [ -e "$described" ] && said=$(cat "$described") && [ -n "$said" ] && sign=$(stat -c %Y "$described") &&
    echo "run $(($(date +%s) - sign)) $(printf %s "$said" | encoded)"
  [ -e "$hold" ] && said=$(cat "$hold") && [ -n "$said" ] && echo "hold $(printf %s "$said" | encoded)"
  true
}
