# Pulls one model. What pulls is a unit of its own (puller.sh), so that it outlives this connection: a run that comes
# later finds it and waits for it. While bytes come it says on standard output, once a second:
#   progress: model NAME DONE/TOTAL bytes
: "${name:?}" "${unit:?}" "${place:?}" "${marker:?}" "${puller:?}" "${manifest:?}" "${digest?}"

busy() { systemctl is-active --quiet "$unit"; }

begin() {
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

busy || begin
pid=$(systemctl show "$unit" -p MainPID --value)
if [ "${pid:-0}" -gt 0 ] && [ -e "$place/said" ]; then
  tail --pid "$pid" -s 0.1 -n 2 -f "$place/said" 2>/dev/null || true
  # nobody listens any more: the next run is not to wait for this one
  if kill -0 "$pid" 2>/dev/null && ! printf '\n'; then stop; fi
fi
while busy; do sleep 0.1; done

if [ -s "$place/outcome" ]; then
  cat "$place/outcome" >&2
  rm -rf "$place"
  stop
fi
[ ! -e "$marker" ] || fail "the pull of $name was killed on the host" "on the host: journalctl -u $unit" \
  'run again: what was downloaded is kept'
manifest=$(spelled "$manifest")
[ -z "$digest" ] || [ "$(read_as "$(numbers_of ollama)" "$manifest" | sha256sum | cut -d ' ' -f 1)" = "$digest" ] ||
  fail "the registry sent another $name than it had announced, not the pinned $digest" 'the tag moves just now: run again'
