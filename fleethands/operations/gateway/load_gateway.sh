# Makes the running gateway use its files, and waits until it does.
#   verb: start, reload or restart; service: its unit's name; config, certificate, unit: files
#   url, connect_to: its address, as curl takes them
#   loaded: the file that says what it has read: sha256 of the files in `read` that there are, and of its unit
: "${verb:?}" "${service:?}" "${config:?}" "${certificate:?}" "${unit:?}" "${url:?}" "${connect_to:?}" "${loaded:?}" "${read:?}"
look="on the host: journalctl -u $service -n 20"

show_why() { journalctl -u "$service" -n 5 --no-pager -o cat >&2 || true; }

# answers: status 0 if the gateway answers with its certificate, and refuses a request without a token
answers() {
  said=$(curl -q --silent --show-error --noproxy '*' --max-time 5 --cacert "$certificate" --connect-to "$connect_to" \
    --output /dev/null --write-out 'HTTP %{http_code}' "$url" 2>&1) || true
  [ "$said" = 'HTTP 401' ]
}

# workers PARENT: ids of the processes that serve
workers() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | tr -dc '0-9\n' || true; }

# accepting PID…: those that still take new connections; nginx renames a worker that only ends what it has begun
accepting() {
  for pid in "$@"; do
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
      '' | *'shutting down'*) ;;
      *) printf '%s ' "$pid" ;;
    esac
  done
}

# wait_until COMMAND…: within 15 s. nginx does not report that it has done what a signal asks for.
wait_until() {
  for _ in $(seq 150); do
    "$@" && return 0
    sleep 0.1
  done
  return 1
}

only_new_workers() {
  # shellcheck disable=SC2086
  [ -z "$(accepting $old)" ] && [ -n "$(workers "$main")" ]
}

write_loaded() {
  mkdir -p "${loaded%/*}"
  # shellcheck disable=SC2086
  echo "$(cat $read 2>/dev/null | sha256sum | cut -c 1-64) $(sha256sum <"$unit" | cut -c 1-64)" | atomic_file "$loaded" 0600 root:root
}

reload() {
  main=$(systemctl show --property MainPID --value "$service")
  old=$(workers "$main" | tr '\n' ' ')
  systemctl reload "$service" || { show_why && fail 'nginx refuses its new files, and the gateway keeps the earlier ones' "$look"; }
  wait_until only_new_workers || { show_why && fail 'the gateway keeps its earlier files' "$look"; }
  write_loaded
}

systemctl daemon-reload
systemctl enable --quiet "$service"
if [ "$verb" = reload ]; then
  reload
else
  systemctl "$verb" "$service" || { show_why && fail 'the gateway does not start' "$look"; }
fi
wait_until answers || {
  show_why
  fail "the gateway does not answer at $url with its certificate: $said" "$look"
}
