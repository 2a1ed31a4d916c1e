# Keeps a host for a person, until that lock is released: through reboots, and whatever becomes of this machine. A run whose
# lease was over goes no further there: it is not its turn any more.
: "${lock:?}" "${hold:?}" "${turn:?}" "${who:?}" "${words:?}" "${run:?}"
open_lock
if ! flock -w 1 8; then
  answer held
elif [ -s "$hold" ]; then
  answer kept
elif printf '%s\n' "$run" | put "$turn" && printf '%s\n' "$words" | put "$hold"; then
  note "locked by hand: $who"
  answer acquired
else
  answer unwritable
fi
