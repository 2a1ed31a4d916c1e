# Whose turn it was last, which run holds this host, and which person does. Each file is read in one go: others replace
# them meanwhile.
read_lock() {
  need base64 tr date stat || return $?
  turn=$(cat /var/lib/fleethands/turn) && [ -n "$turn" ] && echo "turn $turn"
  words=$(cat /run/fleethands/lock.json) && [ -n "$words" ] && sign=$(stat -c %Y /run/fleethands/lock.json) &&
    echo "run $(($(date +%s) - sign)) $(printf %s "$words" | encoded)"
  words=$(cat /var/lib/fleethands/hold) && [ -n "$words" ] && echo "hold $(printf %s "$words" | encoded)"
  true
}
