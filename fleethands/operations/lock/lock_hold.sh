# Holds the run lock while heartbeats arrive on standard input: `t` tries to take the lock, `.` is a heartbeat, `r` releases
# the lock. Any other end of this process ends the lock too, and leaves its description on the host.
#   described: the file that describes the run lock; words: its content; left: its content after a lost connection
#   hold, turn, run, who: see lock_acquire.sh
#   lease: seconds without a heartbeat that end the lock
#   busy: a file of the relay, which does not end while the run lasts
#   begin: `take` to try at once, `wait` for the first request
: "${lock:?}" "${described:?}" "${hold:?}" "${turn:?}" "${who:?}" "${words:?}" "${left:?}" "${run:?}" "${lease:?}" "${busy:?}" "${begin:?}"
held=''

take() {
  if ! flock -w 1 8; then
    answer held
  elif [ -s "$hold" ]; then
    flock -u 8
    answer kept
  else
    before=$(answer locked)
    if printf '%s\n' "$run" | replace_file "$turn" && printf '%s\n' "$words" | replace_file "$described"; then
      echo "$$" >"$lock"
      held=yes
      note "locked: run $run, $who"
      printf '%s\n' "$before"
    else
      flock -u 8
      answer unwritable
    fi
  fi
}

# lost REASON: the connection ended while the lock was held
lost() {
  [ -n "$held" ] || exit 0
  printf '%s\n' "$left" | replace_file "$described"
  note "freed: run $run, $1"
  exit 0
}

open_lock
trap 'lost "it was stopped"' HUP INT TERM
if [ "$begin" = take ]; then take; else answer ready; fi
while :; do
  status=0
  # without the lock, so that it ends with this shell
  said=$(exec timeout "$lease" head -c 1 8>&-) || status=$?
  case $said$status in
    t0) [ -n "$held" ] || take ;;
    r0) break ;;
    0) lost 'its controller went away' ;;
    124) lost "no sign of it for $lease s" ;;
    *) [ -z "$held" ] || touch -c "$described" "$busy" ;;
  esac
done
if [ -n "$held" ]; then
  rm -f "$described"
  note "freed: run $run, done"
fi
flock -u 8
answer released
exit 0
