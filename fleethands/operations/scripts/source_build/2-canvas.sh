# shellcheck disable=SC2034,SC2154  # the parts are one script
# Agent Canvas, from npm or from a checkout, and the two Python environments that it would fetch at its first start.
npm_release() {
  run "npm install @openhands/agent-canvas@$ref" npm install --prefix "$build/canvas" --cache "$build/npm" --no-audit \
    --no-fund --loglevel error --ignore-scripts --omit dev "@openhands/agent-canvas@$ref"
  rm -rf "$build/npm"
  canvas=$build/canvas/node_modules/@openhands/agent-canvas
}

# a page that was built is in what upstream publishes, and not in its repository
checkout_canvas() {
  canvas=$build/checkout
  words='--no-audit --no-fund --loglevel error --ignore-scripts'
  [ ! -e "$canvas/build/index.html" ] || words="$words --omit dev"
  way=install
  [ ! -e "$canvas/package-lock.json" ] || way=ci
  # shellcheck disable=SC2086
  run "npm $way" as_user npm --prefix "$canvas" "$way" $words
  [ -e "$canvas/build/index.html" ] || run 'npm run build' as_user npm --prefix "$canvas" run build
}

# Its own two environments come from the cache that the rehearsal fills; the agent's uvx is as anywhere.
canvas_runs() {
  [ -f "$canvas/bin/agent-canvas.mjs" ] || fail "${repo:-npm}, $ref: there is no bin/agent-canvas.mjs" 'declare another openhands_ref'
  version=$(node -p 'require(process.argv[1]).version' "$canvas/package.json" 2>/dev/null) || version=''
  before=$(printf %s "$newest" | sed -n "s/^$(printf %s "$version" | tr -cd '0-9A-Za-z.-') //p")
  cat >"$build/bin/uvx" <<END
#!/bin/sh
case " \$* " in
  *' openhands-agent-server=='* | *' openhands-automation=='*)
    [ ! -e $build/.fleethands ] || set -- --offline "\$@"
    set -- --cache-dir $build/cache --python /usr/bin/python3 --no-python-downloads --compile-bytecode ${before:+--exclude-newer $before} "\$@"
    ;;
esac
exec $build/tools/bin/uvx "\$@"
END
  cat >"$build/bin/serve" <<END
#!/bin/sh
exec $build/bin/node $canvas/bin/agent-canvas.mjs --port "\$2" --public
END
  install -d -o "$user" -g "$user" "$build/cache"
  pages="$ready /api/automation/openapi.json"
}
