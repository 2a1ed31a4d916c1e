# Fetches the parts of an artifact in a transient unit. A part of other scripts.
#   fetcher: text of the unit's script; empty on a host that does not fetch parts
: "${fetcher?}"

# fetch_in_unit KIND NAME INPUT: for the script of the unit. What the unit left in $place is removed by the caller.
fetch_in_unit() {
  unit=fleethands-fetch-$(printf %s "$*" | sha256sum | cut -c 1-12)
  place=/run/fleethands/$unit
  is_running "$unit" || begin_fetch "$@"
  await_unit "$unit"
  stop_if_failed
  [ -e "$place/done" ] || fail "the download of $2 was killed on the host" "on the host: journalctl -u $unit" \
    'run again: what was downloaded is kept'
}

# Only one script at a time changes a host, so another unit that fetches was left by a run that was aborted. Its parts stay.
begin_fetch() {
  systemctl stop 'fleethands-fetch-*' 2>/dev/null || true
  start_unit "$unit" "$fetcher" "$3" --setenv "place=$place" --setenv "what=$1 $2"
}
