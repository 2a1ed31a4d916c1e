# Tells Canvas which model to use, by its API; it keeps its settings encrypted.
: "${url:?}" "${key_file:?}" "${profile:?}" "${name:?}" "${seed:?}" "${seed_path:?}" "${words:?}"

# told METHOD PATH BODY: the key comes by standard input, as a command line can be read by everybody
told() {
  answer=$(sed -n 's/^LOCAL_BACKEND_API_KEY=\(.*\)$/header = "X-Session-API-Key: \1"/p' "$key_file" |
    curl --config - --silent --show-error --max-time 60 --fail-with-body --header 'Content-Type: application/json' \
      --request "$1" --data "$3" "$url$2" 2>&1) ||
    fail "OpenHands does not take the model: $(printf %s "$answer" | tail -c 300 | tr '\n' ' ')" "on the host: $words"
}

told POST "/api/profiles/$name" "$profile"
told POST "/api/profiles/$name/activate" '{}'
printf %s "$seed" | atomic_file "$seed_path" 0600 root:root
