# shellcheck disable=SC2034,SC2154  # the parts are one script
# A git checkout at one ref: what is in it says which OpenHands it is, and how it is built.
checkout() {
  GIT_ALLOW_PROTOCOL=https:http:ssh:git:file GIT_CONFIG_COUNT=2
  GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null GIT_CONFIG_KEY_1=submodule.recurse GIT_CONFIG_VALUE_1=false
  export GIT_ALLOW_PROTOCOL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0 GIT_CONFIG_KEY_1 GIT_CONFIG_VALUE_1
  install -d -o "$user" -g "$user" "$build/checkout"
  run 'git init' as_user git init --quiet "$build/checkout"
  as_user git -C "$build/checkout" fetch --quiet --depth 1 --no-tags --no-recurse-submodules -- "$repo" "$ref" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    fail "cannot fetch $ref of $repo" "on the host: git ls-remote $repo"
  }
  run 'git checkout' as_user git -C "$build/checkout" checkout --quiet --detach FETCH_HEAD
  commit=$(as_user git -C "$build/checkout" rev-parse HEAD)
}

is_expected() {
  found=''
  if grep -qs '"name": *"@openhands/agent-canvas"' "$build/checkout/package.json"; then
    found=canvas
  elif grep -qs '^build:' "$build/checkout/Makefile" && grep -qs '^run:' "$build/checkout/Makefile" && [ -f "$build/checkout/pyproject.toml" ]; then
    found=v0
  fi
  [ "$found" != "$kind" ] || return 0
  [ -n "$found" ] || fail "$ref of $repo is no OpenHands: it has neither Agent Canvas' package.json nor a Makefile with build and run and a pyproject.toml" \
    'declare another openhands_repo or openhands_ref'
  fail "$ref of $repo is of generation $found, which reads other settings than $kind" "declare openhands_generation: $found"
}

# what its Makefile asks for by name, where the distribution has it not
makefile_needs() {
  # shellcheck disable=SC2013
  for python in $(grep -o 'python3\.[0-9][0-9]*' "$build/checkout/Makefile" | sort -u); do
    command -v "$python" >/dev/null && continue
    run "the download of $python" uv python install --quiet --install-dir "$build/python" "${python#python}"
    ln -s "$build/python"/cpython-*/bin/"$python" "$build/bin/$python"
  done
  grep -q poetry "$build/checkout/Makefile" || return 0
  run 'uv venv' uv venv --quiet --cache-dir "$build/home/uv" --python /usr/bin/python3 "$build/poetry"
  run 'the download of poetry' uv pip install --quiet --cache-dir "$build/home/uv" --python "$build/poetry/bin/python" \
    --exclude-newer "${poetry#* }" "poetry==${poetry% *}"
  ln -s "$build/poetry/bin/poetry" "$build/bin/poetry"
}

# upstream's own target; what it does for containers and browsers is left out (Makefile, 0.62.0)
make_build() {
  run 'make build' as_user POETRY_VIRTUALENVS_IN_PROJECT=true POETRY_NO_INTERACTION=1 INSTALL_DOCKER=0 INSTALL_PLAYWRIGHT=0 \
    make --no-print-directory -C "$build/checkout" build
  [ -x "$build/checkout/.venv/bin/uvicorn" ] || fail "make build of $ref left no .venv/bin/uvicorn" 'declare another openhands_ref'
}

# the server of `make run`, which serves the built page on the same port (Makefile, openhands/server/listen.py, 0.62.0)
v0_runs() {
  ln -sfn "$config" "$build/checkout/config.toml"
  cat >"$build/bin/serve" <<END
#!/bin/sh
cd $build/checkout
if [ -e frontend/build/index.html ]; then : "\${SERVE_FRONTEND:=true}"; else : "\${SERVE_FRONTEND:=false}"; fi
export SERVE_FRONTEND
exec .venv/bin/uvicorn openhands.server.listen:app --host "\$1" --port "\$2"
END
  pages=$ready
}
