# Puts hosts back that were taken out of the gateway. Prints for each of them `drain: NAME back`.
#   backends: names of the hosts; drained: the directory of marks
set -eu
: "${backends:?}" "${drained:?}"
[ -d "$drained" ] || { for backend in $backends; do echo "drain: $backend back"; done && exit 0; }
umask 077
exec 9>>"$drained.lock"
flock -w 30 9
for backend in $backends; do
  systemctl stop "fleethands-return-$backend.timer" 2>/dev/null || true
  rm -f "$drained/$backend"
  echo "drain: $backend back"
done
