# Holds the lock for a run, for as long as a sign of it comes on standard input: `t` takes it, or tries to, `.` says that
# the run is there, `r` gives it back. Whatever else ends this process ends the lock, and what it says of itself stays.
: "${lock:?}" "${described:?}" "${hold:?}" "${turn:?}" "${who:?}" "${words:?}" "${left:?}" "${run:?}" "${lease:?}"
held=''

take() {
  if ! flock -w 1 8; then
    answer held
  elif [ -s "$hold" ]; then
    flock -u 8
    answer kept
  else
    before=$(answer locked)
    if printf '%s\n' "$run" | put "$turn" && printf '%s\n' "$words" | put "$described"; then
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

# REASON
lost() {
  [ -n "$held" ] || exit 0
  printf '%s\n' "$left" | put "$described"
  note "freed: run $run, $1"
  exit 0
}

open_lock
trap 'lost "it was stopped"' HUP INT TERM
answer ready
while :; do
  status=0
  # nothing but this shell holds the lock
  said=$(exec timeout "$lease" head -c 1 8>&-) || status=$?
  case $said$status in
    t0) [ -n "$held" ] || take ;;
    r0) break ;;
    0) lost 'its controller went away' ;;
    124) lost "no sign of it for $lease s" ;;
    *) [ -z "$held" ] || touch -c "$described" ;;
  esac
done
if [ -n "$held" ]; then
  rm -f "$described"
  note "freed: run $run, done"
fi
flock -u 8
answer released
exit 0
