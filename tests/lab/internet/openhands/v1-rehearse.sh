# Rehearse once in what was built: the app up to its settings, the agent-server up to the first question of an agent with
# tools, a browser among them. So both are known to work, and what they load is there as bytecode.
set -eu
mkdir -p /tmp/rehearsal/project
cd /tmp/rehearsal/project
python3 -c '
import http.server, json, pathlib
class Model(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if question.get("tools"):
            pathlib.Path("/tmp/rehearsal/asked").touch()
        self.send_error(400)
http.server.HTTPServer(("127.0.0.1", 3102), Model).serve_forever()
' >/dev/null 2>&1 &
cat >../settings.json <<'END'
{"agent_settings": {"llm": {"model": "openai/rehearsal", "base_url": "http://127.0.0.1:3102/v1", "api_key": "none"}}}
END
export LITELLM_LOCAL_MODEL_COST_MAP=True HOME=/tmp/rehearsal PATH="/opt/oh/bin:$PATH"
unset PYTHONDONTWRITEBYTECODE

answers() { # PROCESS URL: once the URL answers; fails when the process ends before
    until curl -fsS "$2"; do
        kill -0 "$1"
        sleep 0.5
    done
}

SERVE_FRONTEND=false RUNTIME=process OH_PERSISTENCE_DIR=/tmp/rehearsal \
    uvicorn openhands.app_server.app:app --host 127.0.0.1 --port 3100 &
app=$!
answers $app http://127.0.0.1:3100/ready
curl -fsS http://127.0.0.1:3100/api/v1/settings | grep -q openai/rehearsal
kill $app
wait $app || true

agent-server --host 127.0.0.1 --port 3101 &
server=$!
answers $server http://127.0.0.1:3101/ready
curl -fsS -o /dev/null -H 'Content-Type: application/json' -d @- http://127.0.0.1:3101/api/conversations <<'END'
{"agent": {"kind": "Agent", "llm": {"usage_id": "agent", "model": "openai/rehearsal", "api_key": "none",
   "base_url": "http://127.0.0.1:3102/v1", "num_retries": 0},
   "tools": [{"name": "terminal"}, {"name": "file_editor"}, {"name": "browser_tool_set"}]},
 "workspace": {"kind": "LocalWorkspace", "working_dir": "/tmp/rehearsal/project"},
 "initial_message": {"role": "user", "content": [{"type": "text", "text": "Say OK."}], "run": true}}
END
until [ -e ../asked ]; do
    kill -0 $server
    sleep 0.5
done
kill $server
wait $server || true
