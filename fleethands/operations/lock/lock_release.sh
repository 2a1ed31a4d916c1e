# Frees a host, whoever has it. A run that had it goes no further there, though its lease may be over: it is not its turn
# any more.
: "${lock:?}" "${described:?}" "${hold:?}" "${turn:?}" "${who:?}" "${run:?}"
open_lock
before=$(answer released)
if ! flock -n 8; then
  # a name that an earlier holder left may be another process's by now
  if read -r holder <"$lock" && [ "/proc/$holder/fd/8" -ef "$lock" ]; then kill -KILL "$holder"; fi
  flock -w 5 8 || { answer stuck && exit 0; }
fi
printf '%s\n' "$run" | put "$turn" || { answer unwritable && exit 0; }
rm -f "$hold" "$described"
note "freed by hand: $who"
printf '%s\n' "$before"
