# Removes OpenHands' service and its builds. Its state stays.
: "${releases:?}" "${builder:?}" "${files:?}" "${previous_unit:?}"
remove_service
systemctl reset-failed openhands.service 2>/dev/null || true
systemctl stop fleethands-build fleethands-rehearsal 2>/dev/null || true # left by an interrupted run
rm -rf "$releases"
unmark_managed directory "$releases"
if grep -qxsF "user $builder" "${ledger:?}"; then
  ! getent passwd "$builder" >/dev/null || userdel "$builder"
  unmark_managed user "$builder"
fi
# shellcheck disable=SC2086
rm -f $files "$previous_unit" "$previous_unit".*
