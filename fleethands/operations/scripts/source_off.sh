# Takes OpenHands' service away, and its releases; its state stays.
: "${releases:?}" "${environment:?}"
service_gone
rm -rf "$releases"
unmade directory "$releases"
rm -f "$environment" "$service_before"
