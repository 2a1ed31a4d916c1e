# shellcheck disable=SC2034,SC2154  # the parts are one script
# A git checkout at one ref: its files say which OpenHands it is, and how it is built.
fetched=$build/fetched # fetched by the service's user, who may have keys that the builder has not

# fetch REPOSITORY ADDRESS REF
fetch() {
  GIT_ALLOW_PROTOCOL=${2%%:*} GIT_CONFIG_COUNT=2 # an https server must not redirect to another protocol
  [ "$GIT_ALLOW_PROTOCOL" != http ] || GIT_ALLOW_PROTOCOL=http:https
  GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null GIT_CONFIG_KEY_1=submodule.recurse GIT_CONFIG_VALUE_1=false
  export GIT_ALLOW_PROTOCOL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0 GIT_CONFIG_KEY_1 GIT_CONFIG_VALUE_1
  # allows git to read another user's repository; nothing in it is run
  printf '[safe]\n\tdirectory = *\n' >"$HOME/.gitconfig"
  run 'git init' git init --quiet "$1"
  timeout 1200 git -C "$1" fetch --quiet --depth 1 --no-tags --no-recurse-submodules -- "$2" "$3" >"$log" 2>&1 || {
    tail -n 5 "$log"
    fail "cannot fetch $ref of $repo" "on the host: runuser -u $(id -un) -- git ls-remote $repo"
  }
}

fetch_for_build() {
  fetch "$fetched/repository" "$repo" "$ref"
  git -C "$fetched/repository" update-ref refs/heads/fetched FETCH_HEAD
}

checkout() {
  if [ -d "$fetched" ]; then
    fetch "$build/checkout" "file://$fetched/repository" fetched
  else
    fetch "$build/checkout" "$repo" "$ref"
  fi
  run 'git checkout' git -C "$build/checkout" checkout --quiet --detach FETCH_HEAD
  commit=$(git -C "$build/checkout" rev-parse HEAD)
  # the user that fetched it could have replaced the repository
  if printf '%s\n' "$ref" | grep -qx '[0-9a-f]\{40\}' && [ "$commit" != "$ref" ]; then
    fail "the checkout is at commit $commit, and not at the declared one" "declare another openhands_ref"
  fi
}

is_expected() {
  found=''
  if text "$build/checkout/package.json" | grep -q '"name": *"@openhands/agent-canvas"'; then
    found=canvas
  elif text "$build/checkout/Makefile" | grep -q '^build:' && text "$build/checkout/Makefile" | grep -q '^run:' &&
    [ -f "$build/checkout/pyproject.toml" ]; then
    found=v0
  fi
  [ "$found" != "$kind" ] || return 0
  [ -n "$found" ] || fail "$ref of $repo is no OpenHands: it has neither Agent Canvas' package.json nor a Makefile with build and run and a pyproject.toml" \
    'declare another openhands_repo or openhands_ref'
  fail "$ref of $repo is of generation $found, which reads other settings than $kind" "declare openhands_generation: $found"
}

# the Python that the Makefile names, if the distribution lacks it; uv checks the hashes of its interpreters
makefile_needs() {
  # shellcheck disable=SC2013
  for python in $(text "$build/checkout/Makefile" | grep -o 'python3\.[0-9][0-9]*' | sort -u); do
    command -v "$python" >/dev/null && continue
    run "the download of $python" uv python install --quiet --install-dir "$build/python" "${python#python}"
  done
  text "$build/checkout/Makefile" | grep -q poetry || return 0
  run 'python3 -m venv' python3 -m venv "$build/poetry"
  printf '%s' "$poetry" >"$HOME/poetry.txt"
  install_locked "$build/poetry/bin/python" "$HOME/poetry.txt"
}

# upstream's own target, without its steps for containers and browsers (Makefile, 0.62.0)
make_build() {
  POETRY_VIRTUALENVS_IN_PROJECT=true POETRY_NO_INTERACTION=1 INSTALL_DOCKER=0 INSTALL_PLAYWRIGHT=0
  export POETRY_VIRTUALENVS_IN_PROJECT POETRY_NO_INTERACTION INSTALL_DOCKER INSTALL_PLAYWRIGHT
  run 'make build' make --no-print-directory -C "$build/checkout" build
  [ -x "$build/checkout/.venv/bin/uvicorn" ] || fail "make build of $ref left no .venv/bin/uvicorn" 'declare another openhands_ref'
  # compiles Python's bytecode now, because the service cannot write there
  (cd "$build/checkout" && timeout 300 .venv/bin/python -c 'import openhands.server.listen') >"$log" 2>&1 || true
}
