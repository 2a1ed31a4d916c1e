#!/bin/sh
# Rehearse once in what was built: start, settings, one conversation up to the first question to a language model.
# So it is known to work, and what it loads is there as bytecode.
set -eu
mkdir /tmp/rehearsal
cd /tmp/rehearsal
python3 -c '
import http.server, pathlib
class Model(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        pathlib.Path("/tmp/rehearsal/asked").touch()
        self.send_error(400)
http.server.HTTPServer(("127.0.0.1", 3999), Model).serve_forever()
' >/dev/null 2>&1 &
cat >settings.json <<'END'
{"language": "en", "agent": "CodeActAgent", "llm_model": "openai/rehearsal", "llm_api_key": "none",
 "llm_base_url": "http://127.0.0.1:3999/v1", "user_consents_to_analytics": false}
END
export SERVE_FRONTEND=false FILE_STORE=local FILE_STORE_PATH=/tmp/rehearsal RUNTIME=cli LITELLM_LOCAL_MODEL_COST_MAP=True
env -u PYTHONDONTWRITEBYTECODE WORKSPACE_BASE=/tmp/rehearsal/work \
    /opt/oh/bin/uvicorn openhands.server.listen:app --host 127.0.0.1 --port 3000 &
server=$!
until curl -fsS http://127.0.0.1:3000/alive; do
    kill -0 $server
    sleep 0.5
done
curl -fsS http://127.0.0.1:3000/api/settings
curl -fsS -H 'Content-Type: application/json' -d '{"initial_user_msg": "Say OK."}' http://127.0.0.1:3000/api/conversations
until [ -e asked ]; do
    kill -0 $server
    sleep 0.5
done
kill $server
wait $server || true
