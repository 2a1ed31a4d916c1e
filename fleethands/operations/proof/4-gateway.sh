# Checks that a client of the gateway gets an answer through it, and that a request without a token is refused.
#   gateway: its URL, empty without one; gateway_connect: its address on this host, as curl's --connect-to takes it
#   gateway_certificate, gateway_tokens: its files; gateway_runtime: the directory of its sockets
#   gateway_backends: names of the hosts behind it
: "${gateway?}" "${gateway_connect?}" "${gateway_certificate:?}" "${gateway_tokens:?}" "${gateway_runtime:?}" "${gateway_backends?}" "${request:?}" "${model:?}" "${apply:?}"

# ask_gateway [OPTIONS]: send the prompt. curl reads options from standard input: a token on a command line is in every process list.
ask_gateway() {
  # with hosts behind it, it asks its own Ollama: on a busy host, a prompt whose options need another context waits without an
  # end, because Ollama lets requests pass it that need no reload (seen with 0.24.1)
  curl -q --config - ${gateway_backends:+--header 'X-Fleethands-Hop: 1'} --silent --show-error --noproxy '*' --max-time 600 --connect-timeout 10 --cacert "$gateway_certificate" \
    --connect-to "$gateway_connect" --write-out 'HTTP %{http_code}' --data "$request" "$@" "$gateway/api/generate" 2>&1 | head -c 1048576
}

first_token() { sed -n '1s/^"~^\(Bearer [A-Za-z0-9_-]*\)\$".*/header = "Authorization: \1"/p' "$gateway_tokens"; }

prove_gateway() {
  begin_link gateway
  answer=$(ask_gateway --output /dev/null </dev/null)
  [ "$answer" = 'HTTP 401' ] || { breaks "$(explain_gateway "$answer")" && return 0; }
  answer=$(first_token | ask_gateway)
  tokens=$(printf %s "$answer" | sed -n 's/.*"eval_count":\([0-9]*\).*/\1/p')
  behind=$(describe_backends)
  case ${tokens:-0}$behind in
    0*) breaks "$(explain_gateway "$answer")" ;;
    *'; 0 of '*) breaks "no host behind the gateway answers$behind|$apply" ;;
    *) holds "$tokens tokens from $model at $gateway with a token, none without$behind" ;;
  esac
}

# ask_backend NAME: the answer of a host behind the gateway, and its HTTP status
ask_backend() {
  curl -q --silent --max-time 10 --unix-socket "$gateway_runtime/$1.sock" --write-out 'HTTP %{http_code}' \
    http://localhost/api/version | head -c 4096 || true
}

# describe_backends: how many of the hosts behind the gateway answer, and what is wrong with the others; nothing without any
describe_backends() {
  all=0 good=0 wrong=''
  for backend in $gateway_backends; do
    all=$((all + 1))
    case $(ask_backend "$backend") in
      *'HTTP 200') good=$((good + 1)) ;;
      *'the host refuses this gateway'*) wrong="$wrong, $backend refuses the token of this gateway" ;;
      *'no host that the gateway uses now'*) wrong="$wrong, $backend is taken out" ;;
      *) wrong="$wrong, $backend does not answer" ;;
    esac
  done
  [ "$all" -eq 0 ] || printf '; %s of %s hosts behind it answer%s' "$good" "$all" "$wrong"
}

explain_gateway() { # ANSWER
  case $1 in
    *'curl: (7)'*) echo "nothing answers at $gateway, fleethands-gateway.service is $(systemctl is-active fleethands-gateway)|$apply" ;;
    *'curl: (60)'* | *'curl: (35)'*) echo "its certificate does not fit $gateway: $(one_line "$1" | tr '|' ' ')|$apply" ;;
    'HTTP 401' | *'}HTTP 401') echo 'the running gateway does not know a token of its file|on the host: systemctl reload fleethands-gateway' ;;
    'HTTP 2'*) echo "it answers without a token|on the host: systemctl restart fleethands-gateway" ;;
    *'HTTP 502' | *'HTTP 504') echo "the gateway does not reach Ollama|$apply" ;;
    *) echo "no answer through $gateway: $(one_line "$1" | tr '|' ' ')|on the host: journalctl -u fleethands-gateway -n 20" ;;
  esac
}
