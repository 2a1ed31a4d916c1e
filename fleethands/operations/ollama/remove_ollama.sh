# Stops Ollama and removes its service and its releases: those that fleethands marked, and no others.
: "${files?}" "${unit:?}" "${container:?}" "${label:?}"
runs=$(sed -n 's/^Requires=//p' /etc/systemd/system/ollama.service 2>/dev/null) || true
if [ "$unit" = yes ]; then systemctl disable --quiet --now ollama.service || true; fi
# a container may have outlived its client
if [ -n "$runs" ] && systemctl is-active --quiet "$runs"; then
  docker ps --all --quiet --filter "name=^/?$container\$" --filter "label=$label" | xargs -r docker rm --force >/dev/null
fi
printf '%s\n' "$files" | while IFS= read -r file; do [ -z "$file" ] || rm -f "$file"; done
rmdir /etc/systemd/system/ollama.service.d 2>/dev/null || true
for marker in /opt/ollama/*/.fleethands; do
  [ ! -f "$marker" ] || rm -rf "${marker%/.fleethands}"
done
rm -rf /opt/ollama/.incoming
# the saved states are useless without the unit, and they contain secrets
rm -rf /var/lib/fleethands/served /var/lib/fleethands/served.tried /var/lib/fleethands/served.new
rmdir /opt/ollama 2>/dev/null || true
systemctl daemon-reload
systemctl reset-failed ollama.service 2>/dev/null || true
