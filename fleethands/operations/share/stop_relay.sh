# Stops the relay of a host, unless another run uses it.
#   token: of this run; parts: directory of parts
set -eu
: "${token:?}" "${parts:?}"
share=/run/fleethands/share
umask 077
[ -e "$share/tokens" ] && [ -d "$parts" ] || exit 0
exec 8<"$parts"
flock -w 30 8 || exit 0
grep -vxF "$token" "$share/tokens" >"$share/tokens.new" || true
mv -T "$share/tokens.new" "$share/tokens"
[ -s "$share/tokens" ] || systemctl stop fleethands-relay.service
