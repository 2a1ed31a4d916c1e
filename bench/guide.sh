#!/bin/sh
# The guide's steps as one script, which a bare program sends. $version, $models and $override are set in front of it.
set -eu
: "${version:?}" "${models:?}" "${override:?}"
place=/etc/systemd/system/ollama.service.d/guide.conf
export DEBIAN_FRONTEND=noninteractive

dpkg-query -W ca-certificates curl zstd >/dev/null 2>&1 || {
  apt-get update -q
  apt-get install -qy --no-install-recommends ca-certificates curl zstd
}
[ -x /usr/local/bin/ollama ] || curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION="$version" sh
if [ "$(cat "$place" 2>/dev/null)" != "$override" ]; then
  mkdir -p "${place%/*}"
  printf '%s\n' "$override" >"$place"
  systemctl daemon-reload
  systemctl enable --quiet ollama
  systemctl restart ollama
fi
for _ in $(seq 240); do
  ollama list >/dev/null 2>&1 && break
  sleep 0.25
done
for model in $models; do
  ollama show "$model" >/dev/null 2>&1 || ollama pull "$model"
done
