# Tries each link from Ollama to OpenHands, and writes down the results. Leaves no container behind.
#   deep: yes to hold a conversation
: "${openhands:?}" "${gateway?}" "${gateway_page?}" "${deep:?}" "${broken?}"
prove_ollama
[ -z "$gateway" ] || prove_gateway
[ "$openhands" = no ] || prove_openhands
[ -z "$gateway_page" ] || prove_page
# only if all other links hold
[ "$openhands" = no ] || [ "$deep" = no ] || [ -n "$broken" ] || prove_conversation
[ -n "$broken" ] || measure_speed
finish
