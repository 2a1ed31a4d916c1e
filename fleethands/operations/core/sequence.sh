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

# why no other script may begin: `stopped` or `unlocked`. Nothing if one may.
reason() {
  # It is read through an open file of its own, without waiting: dd fails if there is neither a byte nor the end.
  if dd if=/dev/stdin iflag=nonblock bs=1 count=1 >/dev/null 2>&1; then
    echo stopped
  elif flock -n -s "$lock" true 2>/dev/null; then
    echo unlocked
  fi
}

number=0
while [ "$number" -lt "$count" ]; do
  number=$((number + 1))
  why=''
  [ "$number" -eq 1 ] || why=$(reason)
  if [ -n "$why" ]; then
    frame "$why $number"
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
