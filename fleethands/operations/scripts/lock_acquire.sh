# Keeps a host for a person, until that lock is released: through reboots, and whatever becomes of this machine.
: "${lock:?}" "${hold:?}" "${who:?}" "${words:?}"
open_lock
if ! flock -w 1 8; then
  answer held
elif [ -s "$hold" ]; then
  answer kept
elif printf '%s\n' "$words" | put "$hold"; then
  note "locked by hand: $who"
  answer acquired
else
  answer unwritable
fi
