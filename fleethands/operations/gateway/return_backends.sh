# Puts hosts back that were taken out of the gateway.
#   backends: names of the hosts; drained: the directory of marks
set -eu
: "${backends:?}" "${drained:?}"
for backend in $backends; do
  systemctl stop "fleethands-return-$backend.timer" 2>/dev/null || true
  if [ -e "$drained/$backend" ]; then
    rm -f "$drained/$backend"
    echo "drain: $backend back"
  fi
done
