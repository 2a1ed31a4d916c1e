# Removes the unit that loads models at Ollama's start. Loaded models stay until Ollama unloads them.
: "${script_path:?}" "${unit_path:?}" "${wanted:?}" "${record:?}"
systemctl disable --quiet fleethands-preload.service 2>/dev/null || true
rm -f "$script_path" "$unit_path" "$wanted" "$record"
rmdir "${wanted%/*}" 2>/dev/null || true
systemctl daemon-reload
