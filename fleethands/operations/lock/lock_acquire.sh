# Takes a manual lock, which survives reboots until a user releases it. A run whose lease has ended stops, because its lock
# token is replaced.
#   hold: the file of the manual lock; words: its content
#   turn: the file of the lock token; run: the new token
#   who: the holder, for the host's log
: "${lock:?}" "${hold:?}" "${turn:?}" "${who:?}" "${words:?}" "${run:?}"
open_lock
if ! flock -w 1 8; then
  answer held
elif [ -s "$hold" ]; then
  answer kept
elif printf '%s\n' "$run" | replace_file "$turn" && printf '%s\n' "$words" | replace_file "$hold"; then
  note "locked by hand: $who"
  answer acquired
else
  answer unwritable
fi
