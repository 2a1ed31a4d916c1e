# Takes OpenHands' service away, and what was built for it; its state stays.
: "${releases:?}" "${files:?}" "${service_before:?}"
service_gone
systemctl reset-failed openhands.service 2>/dev/null || true
rm -rf "$releases"
unmade directory "$releases"
# shellcheck disable=SC2086
rm -f $files "$service_before" "$service_before".*
