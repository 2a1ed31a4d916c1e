# Uses the service along its whole way, link by link, and writes down what it saw. Leaves no container behind.
: "${openhands:?}" "${deep:?}" "${broken?}"
prove_ollama
[ "$openhands" = no ] || prove_openhands
# a conversation is only begun where all else holds
[ "$openhands" = no ] || [ "$deep" = no ] || [ -n "$broken" ] || converses
finish
