# What the scripts of units that fetch artifacts have in common: how they end, and that only one of them fetches at a time, so
# that a limit holds for the host. A part of them.
: "${place:?}" "${what:?}"

# fail REASON [HINT…]: it is in the file `outcome`, which the script that waits for the unit prints
fail() {
  {
    printf 'error: %s\n' "$1"
    shift
    printf 'hint: %s\n' "$@"
  } >"$place/outcome.part"
  rm -f "$place/authorization"
  mv "$place/outcome.part" "$place/outcome"
  [ -z "${marker:-}" ] || rm -f "$marker"
  exit 0
}

# The lock ends with its process.
await_turn() {
  mkdir -p "$(dirname "${fetch_lock:-/run/fleethands/fetch.lock}")"
  exec 7>>"${fetch_lock:-/run/fleethands/fetch.lock}"
  flock -n 7 || { echo "$what: waits for another download of this host" >>"$place/said" && flock 7; }
}
