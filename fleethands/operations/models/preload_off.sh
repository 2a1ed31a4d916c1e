# Loads no model at Ollama's start any more; what is loaded stays until Ollama lets it go.
: "${script_path:?}" "${unit_path:?}" "${wanted:?}" "${record:?}"
systemctl disable --quiet fleethands-preload.service 2>/dev/null || true
rm -f "$script_path" "$unit_path" "$wanted" "$record"
rmdir "${wanted%/*}" 2>/dev/null || true
systemctl daemon-reload
