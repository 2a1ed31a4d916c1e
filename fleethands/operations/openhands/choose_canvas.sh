# Selects the model through Canvas' API, because Canvas encrypts its settings file.
#   profile, name: an LLM profile and its name; seed, seed_path: the record of what fleethands chose
: "${url:?}" "${key_file:?}" "${profile:?}" "${name:?}" "${seed:?}" "${seed_path:?}" "${words:?}"

# send METHOD PATH BODY: the key goes in on standard input, because all users can read command lines
send() {
  answer=$(sed -n 's/^LOCAL_BACKEND_API_KEY=\(.*\)$/header = "X-Session-API-Key: \1"/p' "$key_file" |
    curl -q --config - --silent --show-error --max-time 60 --fail-with-body --header 'Content-Type: application/json' \
      --request "$1" --data "$3" "$url$2" 2>&1) ||
    fail "OpenHands does not take the model: $(printf %s "$answer" | tail -c 300 | tr '\n' ' ')" "on the host: $words"
}

send POST "/api/profiles/$name" "$profile"
send POST "/api/profiles/$name/activate" '{}'
# newer servers report whether the profile is in use: an ACP agent brings its own model (agent-server 1.56)
case $answer in
  *'"llm_applied":false'* | *'"llm_applied": false'*)
    echo "note: OpenHands took the profile $name, and does not use it: the agent that is chosen there has a model of its own" ;;
esac
printf %s "$seed" | atomic_file "$seed_path" 0600 root:root
