# Installs the unit that loads models at each start of Ollama, and starts it.
: "${loader:?}" "${script_path:?}" "${unit:?}" "${unit_path:?}"
name=fleethands-preload.service
printf %s "$loader" | atomic_file "$script_path" 0600 root:root
printf %s "$unit" | atomic_file "$unit_path" 0644 root:root
systemctl daemon-reload
systemctl enable --quiet "$name"
systemctl start "$name" || {
  journalctl -u "$name" -n 5 --no-pager -o cat >&2
  fail 'a model does not load' 'on the host: journalctl -u fleethands-preload -n 20; journalctl -u ollama -n 30'
}
