# Restarts Ollama on its current files, and waits until it answers with its version.
: "${version:?}" "${url:?}" "${limit:?}"
systemctl daemon-reload
systemctl unmask --quiet ollama.service
systemctl enable --quiet ollama.service
systemctl reset-failed ollama.service 2>/dev/null || true
systemctl restart ollama.service || true

give_up() {
  echo "last lines of its journal:" >&2
  journalctl -u ollama.service -n 30 --no-pager -o cat >&2
  fail "$1" "on the host: systemctl status ollama; journalctl -u ollama"
}

end=$(($(date +%s) + limit))
while :; do
  answer=$(curl --silent --max-time 5 "$url/api/version" || true)
  case $answer in *'"version":"'"$version"'"'*) exit 0 ;; esac
  if systemctl is-failed --quiet ollama.service || [ "$(systemctl show ollama.service -p NRestarts --value)" -ge 3 ]; then
    give_up 'Ollama does not stay up'
  fi
  [ "$(date +%s)" -lt "$end" ] || give_up "Ollama did not answer with version $version at $url within $limit s${answer:+: it said $answer}"
  sleep 0.1
done
