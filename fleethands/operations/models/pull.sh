# Pulls one model in a transient unit (puller.sh), which survives a lost connection: a later run finds the unit and waits for
# it. While bytes arrive, one line a second on standard output:
#   progress: model NAME DONE/TOTAL bytes
# Its variables:
#   puller: text of the unit's script; place: directory in which it reports
#   marker: file that exists from the begin of a pull to its orderly end
: "${name:?}" "${unit:?}" "${place:?}" "${marker:?}" "${puller:?}" "${manifest:?}" "${digest?}"

is_pulling() { systemctl is-active --quiet "$unit"; }

start_pull() {
  unclean=''
  [ ! -e "$marker" ] || unclean=yes
  systemctl reset-failed "$unit" 2>/dev/null || true
  rm -rf "$place"
  (umask 077 && mkdir -p "$place")
  printf %s "$puller" >"$place/puller.sh"
  : >"$place/said"
  echo "$name" | atomic_file "$marker" 0644 root:root
  systemd-run --quiet --collect --unit "$unit" --setenv "unclean=$unclean" sh "$place/puller.sh" 9>&- ||
    fail "cannot start the unit $unit" "on the host: systemctl status $unit"
}

is_pulling || start_pull
pid=$(systemctl show "$unit" -p MainPID --value)
if [ "${pid:-0}" -gt 0 ] && [ -e "$place/said" ]; then
  tail --pid "$pid" -s 0.1 -n 2 -f "$place/said" 2>/dev/null || true
  # the controller is gone: end this script, so that the next run does not wait for it
  if kill -0 "$pid" 2>/dev/null && ! printf '\n'; then stop; fi
fi
while is_pulling; do sleep 0.1; done

if [ -s "$place/outcome" ]; then
  cat "$place/outcome" >&2
  rm -rf "$place"
  stop
fi
[ ! -e "$marker" ] || fail "the pull of $name was killed on the host" "on the host: journalctl -u $unit" \
  'run again: what was downloaded is kept'
manifest=$(spelled "$manifest")
[ -z "$digest" ] || [ "$(read_as "$(numbers_of ollama)" "$manifest" | sha256sum | cut -d ' ' -f 1)" = "$digest" ] ||
  fail "the registry sent another $name than it had announced, not the pinned $digest" 'the tag is being moved: run again'
