# Releases the locks of a host, of any holder. The run that held it stops at its next step, because its lock token is replaced.
#   described, hold, turn, run, who: see lock_hold.sh
: "${lock:?}" "${described:?}" "${hold:?}" "${turn:?}" "${who:?}" "${run:?}"
open_lock
before=$(answer released)
if ! flock -n 8; then
  # the process id in the file may be from an earlier holder, and belong to another process now
  if read -r holder <"$lock" && [ "/proc/$holder/fd/8" -ef "$lock" ]; then kill -KILL "$holder"; fi
  flock -w 5 8 || { answer stuck && exit 0; }
fi
printf '%s\n' "$run" | replace_file "$turn" || { answer unwritable && exit 0; }
rm -f "$hold" "$described"
note "freed by hand: $who"
printf '%s\n' "$before"
