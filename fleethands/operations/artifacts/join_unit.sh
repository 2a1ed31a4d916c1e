# shellcheck disable=SC2154 # the script that these are a part of sets place
# Starts a transient unit, which survives a lost connection, or waits for the one that a previous run started. A part of other
# scripts.
#   place: directory in which the unit reports: `said` has lines for standard output, `outcome` the reason of a failure

# is_running UNIT
is_running() { systemctl is-active --quiet "$1"; }

# start_unit UNIT TEXT INPUT [OPTION…]: TEXT is its script, which finds INPUT in a file. It may have a password, so that neither
# is on a command line.
start_unit() {
  started=$1 text=$2 input=$3
  shift 3
  systemctl reset-failed "$started" 2>/dev/null || true
  rm -rf "$place"
  (umask 077 && mkdir -p "$place")
  printf %s "$text" >"$place/script.sh"
  printf '%s\n' "$input" >"$place/input"
  : >"$place/said"
  systemd-run --quiet --collect --unit "$started" "$@" sh "$place/script.sh" 9>&- ||
    fail "cannot start the unit $started" "on the host: systemctl status $started"
}

# await_unit UNIT: print what it says until it has ended
await_unit() {
  pid=$(systemctl show "$1" -p MainPID --value)
  if [ "${pid:-0}" -gt 0 ] && [ -e "$place/said" ]; then
    tail --pid "$pid" -s 0.1 -n 2 -f "$place/said" 2>/dev/null || true
    # the controller is gone: end this script, so that the next run does not wait for it
    if kill -0 "$pid" 2>/dev/null && ! printf '\n'; then stop; fi
  fi
  while is_running "$1"; do sleep 0.1; done
}

# stop_if_failed: print why the unit failed
stop_if_failed() {
  [ -s "$place/outcome" ] || return 0
  cat "$place/outcome" >&2
  rm -rf "$place"
  stop
}
