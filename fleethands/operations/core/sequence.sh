# Runs the scripts of several changes one after the other, each in a shell of its own, and then the probe. A script that
# fails is the last one. Lines with the mark frame what each of them prints, in both outputs.
#   mark: begins each frame
#   count: number of the scripts, which are the variables step_1, step_2, …
#   probe: the script of the probe
#   lock: the file of the run lock
# The controller keeps standard input open. It sends a byte to stop the sequence, and the input ends if the controller dies.
# If the network is cut, the run lock ends.
: "${mark:?}" "${count:?}" "${probe:?}" "${lock:?}"

frame() {
  printf '\n%s %s\n' "$mark" "$1"
  printf '\n%s %s\n' "$mark" "$1" >&2
}

is_wanted() {
  status=0
  timeout 0.02 head -c 1 >/dev/null || status=$?
  [ "$status" -eq 124 ] && ! flock -n -s "$lock" true 2>/dev/null
}

number=0
while [ "$number" -lt "$count" ]; do
  number=$((number + 1))
  if [ "$number" -gt 1 ] && ! is_wanted; then
    frame "stopped $number"
    exit 0
  fi
  frame "begin $number"
  status=0
  eval "printf '%s\n' \"\$step_$number\"" | sh -s || status=$?
  frame "end $number $status"
  [ "$status" -eq 0 ] || exit "$status"
done
frame probe
printf '%s\n' "$probe" | sh -s
exit # standard input is still open
