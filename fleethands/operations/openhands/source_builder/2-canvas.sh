# shellcheck disable=SC2034,SC2154  # the parts are one script
# Agent Canvas, from npm or from a checkout.
npm_words='--no-audit --no-fund --loglevel error --ignore-scripts'

# known releases have a lockfile with hashes; for others npm resolves the dependencies
npm_release() {
  # shellcheck disable=SC2086
  set -- --prefix "$build/canvas" --cache "$HOME/npm" $npm_words --omit dev
  if [ -n "$lock" ]; then
    printf '{"dependencies": {"@openhands/agent-canvas": "%s"}}\n' "$ref" >"$build/canvas/package.json"
    printf '%s' "$lock" >"$build/canvas/package-lock.json"
    run "npm ci of @openhands/agent-canvas@$ref" npm ci "$@"
  else
    run "npm install @openhands/agent-canvas@$ref" npm install "$@" "@openhands/agent-canvas@$ref"
  fi
  canvas=$build/canvas/node_modules/@openhands/agent-canvas
}

# upstream's package contains the built page, its repository does not
checkout_canvas() {
  canvas=$build/checkout
  words=$npm_words
  [ ! -e "$canvas/build/index.html" ] || words="$words --omit dev"
  way=install
  [ ! -e "$canvas/package-lock.json" ] || way=ci
  # shellcheck disable=SC2086
  run "npm $way" npm --prefix "$canvas" --cache "$HOME/npm" "$way" $words
  [ -e "$canvas/build/index.html" ] || run 'npm run build' npm --prefix "$canvas" run build
}

canvas_version() {
  [ -f "$canvas/bin/agent-canvas.mjs" ] || fail "${repo:-npm}, $ref: there is no bin/agent-canvas.mjs" 'declare another openhands_ref'
  version=$(text "$canvas/package.json" | python3 -I -c 'import json, sys; print(json.load(sys.stdin)["version"])' 2>/dev/null) || version=''
}
