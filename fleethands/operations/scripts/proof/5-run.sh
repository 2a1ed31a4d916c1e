# Uses the service along its whole way, link by link, and writes down what it saw. Leaves no container behind.
: "${openhands:?}"
prove_ollama
[ "$openhands" = no ] || prove_openhands
finish
