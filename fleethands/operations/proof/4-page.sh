# Checks that OpenHands' page on the gateway asks for a login or the key, and that OpenHands answers behind a login.
# The variables are described in page_variables.py.
: "${gateway_page?}" "${gateway_page_connect?}" "${gateway_certificate:?}" "${page_ready:?}" "${page_closed:?}" "${page_sessions:?}" "${apply:?}"

# ask_page PATH: the status, or why there is none. curl reads options from standard input, as ask_gateway does.
ask_page() {
  curl -q --config - --silent --show-error --noproxy '*' --max-time 60 --connect-timeout 10 --cacert "$gateway_certificate" \
    --connect-to "$gateway_page_connect" --output /dev/null --write-out 'HTTP %{http_code}' "$gateway_page$1" 2>&1
}

# the host knows no password, but the session that a login begins
first_session() {
  [ ! -f "$page_sessions" ] ||
    sed -n 's/.*\(__Host-fleethands=[A-Za-z0-9_-]*\).*/header = "Cookie: \1"/p' "$page_sessions" | head -n 1
}

prove_page() {
  begin_link gateway-page
  without=$(ask_page "$page_closed" </dev/null) || true
  within=$(first_session | ask_page "$page_ready") || true
  case $without in
    'HTTP 401') ;;
    'HTTP 2'*) breaks "OpenHands answers at $gateway_page without a login|on the host: systemctl restart fleethands-gateway" && return 0 ;;
    *) breaks "$(explain_page "$without")" && return 0 ;;
  esac
  if [ "$within" = 'HTTP 200' ]; then
    holds "OpenHands answers at $gateway_page, and $page_closed only after a login or with the key"
  else
    breaks "$(explain_page "$within")"
  fi
}

explain_page() { # ANSWER
  case $1 in
    *'curl: (7)'*) echo "nothing answers at $gateway_page, fleethands-gateway.service is $(systemctl is-active fleethands-gateway)|$apply" ;;
    *'curl: (60)'* | *'curl: (35)'*) echo "its certificate does not fit $gateway_page: $(one_line "$1" | tr '|' ' ')|$apply" ;;
    'HTTP 401') echo 'the running gateway does not know the people of its file|on the host: systemctl reload fleethands-gateway' ;;
    'HTTP 502' | 'HTTP 504') echo "the gateway does not reach OpenHands|$apply" ;;
    *) echo "no answer through $gateway_page: $(one_line "$1" | tr '|' ' ')|on the host: journalctl -t fleethands_page -n 20" ;;
  esac
}
