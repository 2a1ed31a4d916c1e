# shellcheck disable=SC2034,SC2154  # the parts are one script
# Makes root the owner of the build. No process of the builder is left that could change it meanwhile.
take_over() {
  rm -rf "${build:?}/home" "$build/fetched"
  chown -hR root:root "$build"
  chmod -R u-s,g-s,o-t,go-w "$build"
  odd=$(find "$build" ! -type f ! -type d ! -type l -print -quit)
  [ -z "$odd" ] || fail "the build of $ref${repo:+ of $repo} left a device, a pipe or a socket" 'declare another openhands_ref'
}

# Root runs nothing from the build, and reads only these two values: the version, and the commit of a checkout.
read_result() {
  version=$(said version '[0-9A-Za-z][0-9A-Za-z.+-]*')
  commit=$ref
  [ -z "$repo" ] || commit=$(said commit '[0-9a-f]\{40,64\}')
  [ -n "$commit" ] || fail "the build of $ref of $repo does not say which commit it is" 'run it again'
}

# Canvas starts its two servers with uvx, from the cache that the rehearsal fills. The agent's own calls of uvx are unchanged.
canvas_runs() {
  canvas=$build/canvas/node_modules/@openhands/agent-canvas
  [ -z "$repo" ] || canvas=$build/checkout
  before=$(printf %s "$newest" | sed -n "s/^$version //p")
  atomic_file "$build/bin/uvx" 0755 root:root <<END
#!/bin/sh
case " \$* " in
  *' openhands-agent-server=='* | *' openhands-automation=='*)
    [ ! -e $build/.fleethands ] || set -- --offline "\$@"
    set -- --cache-dir $build/cache --python /usr/bin/python3 --no-python-downloads --compile-bytecode ${before:+--exclude-newer $before} "\$@"
    ;;
esac
exec $build/tools/bin/uvx "\$@"
END
  atomic_file "$build/bin/serve" 0755 root:root <<END
#!/bin/sh
exec $build/bin/node $canvas/bin/agent-canvas.mjs --port "\$2" --public
END
  # uv writes into its cache at every start, so the cache belongs to the service's user
  install -d -o "$user" -g "$user" "$build/cache"
  pages="$ready /api/automation/openapi.json"
}

# the server of `make run`, which serves the built page on the same port (Makefile, openhands/server/listen.py, 0.62.0)
v0_runs() {
  ln -sfnT "$config" "$build/checkout/config.toml"
  atomic_file "$build/bin/serve" 0755 root:root <<END
#!/bin/sh
cd $build/checkout
if [ -e frontend/build/index.html ]; then : "\${SERVE_FRONTEND:=true}"; else : "\${SERVE_FRONTEND:=false}"; fi
export SERVE_FRONTEND
exec .venv/bin/uvicorn openhands.server.listen:app --host "\$1" --port "\$2"
END
  pages=$ready
}
