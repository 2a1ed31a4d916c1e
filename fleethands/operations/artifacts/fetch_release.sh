# The script of the unit that fetches an archive of a release. Its input is the number of bytes that the server announced, or
# `-`, and a line `DIGEST SIZE URL`.
: "${place:?}"
read -r announced <"$place/input"
announced=$(whole "$announced") && [ "$announced" != 0 ] || announced='' # a server may not say it
tail -n +2 "$place/input" >"$place/parts"
await_turn
make_store
drop_old_parts
fetch_parts
: >"$place/done"
