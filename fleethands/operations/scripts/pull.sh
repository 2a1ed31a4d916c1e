# Pulls one model through Ollama's API. The pull is a unit of its own, so that it outlives the connection;
# a run that comes later finds it and waits for it.
: "${name:?}" "${request:?}" "${url:?}" "${unit:?}"
log=/run/fleethands/$unit.ndjson
mkdir -p /run/fleethands
if ! systemctl is-active --quiet "$unit"; then
  systemctl reset-failed "$unit" 2>/dev/null || true
  rm -f "$log"
  systemd-run --quiet --collect --unit "$unit" --property "StandardOutput=truncate:$log" --property StandardError=inherit \
    curl --silent --show-error --no-buffer --data "$request" "$url/api/pull" 9>&-
fi
pid=$(systemctl show "$unit" -p MainPID --value)
if [ "${pid:-0}" -gt 0 ]; then tail --pid "$pid" -s 0.1 -f /dev/null 2>/dev/null || true; fi
while systemctl is-active --quiet "$unit"; do sleep 0.1; done
last=$(tail -n 1 "$log" 2>/dev/null || true)
case $last in
  *'"status":"success"'*) rm -f "$log" ;;
  *'file does not exist'*) rm -f "$log"; fail "the registry has no model $name" "look for its right name: https://ollama.com/search" ;;
  *) rm -f "$log"; fail "pull of $name ended early: ${last:-no answer}" "run again: what was downloaded is kept" ;;
esac
