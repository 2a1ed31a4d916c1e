# Start it twice as its user: with the network, which fetches two Python environments, and as hosts start it, without.
# Of what these starts leave only the environments stay: the rest is keys and state, which no two containers may share.
set -eu
serve() { # SETTING…: as an image's process would run, but for the port
    exec setpriv --reuid=openhands --regid=openhands --init-groups \
        env -u UV_CACHE_DIR -u XDG_CACHE_HOME -u PYTHONDONTWRITEBYTECODE HOME=/home/openhands UV_LINK_MODE=hardlink \
        PATH="/opt/node/bin:$PATH" UV_EXCLUDE_NEWER=2026-09-01 UV_PYTHON=/usr/bin/python3 \
        UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 LITELLM_LOCAL_MODEL_COST_MAP=True \
        LOCAL_BACKEND_API_KEY=rehearsal "$@" agent-canvas --port 3200 --public
}

answers() { # PROCESS PATH: once the path answers; fails when the process ends before
    until curl -fsS -H 'X-Session-API-Key: rehearsal' -o /dev/null "http://127.0.0.1:3200$2"; do
        kill -0 "$1"
        sleep 0.5
    done
}

cd /projects
for setting in UV_OFFLINE=0 UV_OFFLINE=1; do
    serve $setting &
    canvas=$!
    answers $canvas /ready
    answers $canvas /api/automation/openapi.json
    answers $canvas /api/settings
    kill $canvas
    wait $canvas || true
    find /home/openhands /projects -mindepth 1 -maxdepth 1 ! -name .cache -exec rm -rf {} +
done
install -d -o openhands -g openhands /home/openhands/.openhands
