# Frees a host, whoever has it. A run that had it goes no further there: it is not its turn any more.
: "${lock:?}" "${described:?}" "${hold:?}" "${turn:?}" "${who:?}" "${run:?}"
mkdir -p "${lock%/*}"
exec 8>>"$lock"
before=$(answer released)
if ! flock -n 8; then
  read -r holder <"$lock" && kill -KILL "$holder"
  flock -w 5 8 || { answer stuck && exit 0; }
  printf '%s\n' "$run" | put "$turn" || { answer unwritable && exit 0; }
fi
rm -f "$hold" "$described"
note "freed by hand: $who"
printf '%s\n' "$before"
