# OpenHands of generation V1 under /opt/oh: the app, and the agent-server that runs in its sandboxes.
set -eu
debian chromium git tmux

/tmp/uv venv -q -p /usr/bin/python3 /opt/oh
/tmp/uv pip install -q -p /opt/oh/bin/python --exclude-newer 2026-09-01 openhands-ai==1.11.0

cd "$(echo /opt/oh/lib/python3*/site-packages)"
rm -rf playwright/driver vertexai google/cloud/aiplatform* googleapiclient/discovery_cache/documents \
    litellm/proxy/_experimental/out litellm/proxy/swagger
find . -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.pxd' -o -name '*.pyx' \
    -o -name '*.c' \) -delete
