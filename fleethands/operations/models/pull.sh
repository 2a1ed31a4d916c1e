# Pulls one model in a transient unit (puller.sh), which survives a lost connection: a later run finds the unit and waits for
# it. While bytes arrive, one line a second on standard output:
#   progress: model NAME DONE/TOTAL bytes
# Its variables:
#   puller: text of the unit's script; place: directory in which it reports
#   marker: file that exists from the begin of a pull to its orderly end
: "${name:?}" "${unit:?}" "${place:?}" "${marker:?}" "${puller:?}" "${manifest:?}" "${digest?}"

start_pull() {
  unclean=''
  [ ! -e "$marker" ] || unclean=yes
  echo "$name" | atomic_file "$marker" 0644 root:root
  start_unit "$unit" "$puller" '' --setenv "unclean=$unclean"
}

is_running "$unit" || start_pull
await_unit "$unit"
stop_if_failed
[ ! -e "$marker" ] || fail "the pull of $name was killed on the host" "on the host: journalctl -u $unit" \
  'run again: what was downloaded is kept'
manifest=$(spelled "$manifest")
[ -z "$digest" ] || [ "$(read_as "$(numbers_of ollama)" "$manifest" | sha256sum | cut -d ' ' -f 1)" = "$digest" ] ||
  fail "the registry sent another $name than it had announced, not the pinned $digest" 'the tag is being moved: run again'
