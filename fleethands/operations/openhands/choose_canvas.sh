# Tells Canvas which model to use, by its API; it keeps its settings encrypted.
: "${url:?}" "${key_file:?}" "${profile:?}" "${name:?}" "${seed:?}" "${seed_path:?}" "${words:?}"

# told METHOD PATH BODY: the key comes by standard input, as a command line can be read by everybody
told() {
  answer=$(sed -n 's/^LOCAL_BACKEND_API_KEY=\(.*\)$/header = "X-Session-API-Key: \1"/p' "$key_file" |
    curl -q --config - --silent --show-error --max-time 60 --fail-with-body --header 'Content-Type: application/json' \
      --request "$1" --data "$3" "$url$2" 2>&1) ||
    fail "OpenHands does not take the model: $(printf %s "$answer" | tail -c 300 | tr '\n' ' ')" "on the host: $words"
}

told POST "/api/profiles/$name" "$profile"
told POST "/api/profiles/$name/activate" '{}'
# newer servers say so where a person chose an agent that brings a model of its own (agent-server 1.56: ACP agents)
case $answer in
  *'"llm_applied":false'* | *'"llm_applied": false'*)
    echo "note: OpenHands took the profile $name, and does not use it: the agent that is chosen there has a model of its own" ;;
esac
printf %s "$seed" | atomic_file "$seed_path" 0600 root:root
