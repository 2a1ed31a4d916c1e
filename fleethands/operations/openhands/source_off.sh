# Takes OpenHands' service away, and what was built for it; its state stays.
: "${releases:?}" "${builder:?}" "${files:?}" "${service_before:?}"
service_gone
systemctl reset-failed openhands.service 2>/dev/null || true
systemctl stop fleethands-build fleethands-rehearsal 2>/dev/null || true # of a run that was ended half-way
rm -rf "$releases"
unmark_managed directory "$releases"
if grep -qxsF "user $builder" "${ledger:?}"; then
  ! getent passwd "$builder" >/dev/null || userdel "$builder"
  unmark_managed user "$builder"
fi
# shellcheck disable=SC2086
rm -f $files "$service_before" "$service_before".*
