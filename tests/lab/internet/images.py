"""
OpenHands images of three generations, made here of the packages that upstream publishes, under upstream's names; and
Ollama's, made of the lab's own releases.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.internet import release
from tests.lab.internet.image import Image, System
from tests.lab.internet.ollama import Ollama

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

V0 = Image(
    name="image v0",
    title="OpenHands",
    version="0.62.0",
    origin="the PyPI wheel openhands-ai==0.62.0",
    references=("ghcr.io/all-hands-ai/openhands:main", "docker.openhands.dev/openhands/openhands:0.62"),
    settings={
        "Entrypoint": ["/usr/local/bin/openhands-entrypoint"],
        "Cmd": ["uvicorn", "openhands.server.listen:app", "--host", "0.0.0.0", "--port", "3000"],
        "ExposedPorts": {"3000/tcp": {}},
        "WorkingDir": "/app",
        "Env": [
            "PATH=/opt/oh/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SANDBOX_USER_ID=0",
            "FILE_STORE=local",
            "FILE_STORE_PATH=/.openhands",
            "WORKSPACE_BASE=/opt/workspace_base",
            "SERVE_FRONTEND=false",
            "RUNTIME=cli",
            "LITELLM_LOCAL_MODEL_COST_MAP=True",
        ],
    },
    directories=((".openhands", 0o755), ("app", 0o755), ("opt/workspace_base", 0o755)),
    files={"usr/local/bin/openhands-entrypoint": "entrypoint-v0.sh"},
)
AGENT_SERVER = Image(
    name="image agent-server",
    title="OpenHands agent-server",
    version="1.34.0",
    origin="the PyPI wheel openhands-agent-server==1.34.0 and Debian's chromium",
    references=("ghcr.io/openhands/agent-server:1.34.0-python",),
    settings={
        "Entrypoint": ["/opt/oh/bin/agent-server"],
        "Cmd": ["--port", "8000"],
        "ExposedPorts": {"8000/tcp": {}},
        "WorkingDir": "/workspace/project",
        "Env": [f"PATH=/opt/oh/bin:{SYSTEM_PATH}", "LITELLM_LOCAL_MODEL_COST_MAP=True"],
    },
)
V1 = System(
    name="image v1",
    title="OpenHands",
    version="1.11.0",
    origin="the PyPI wheel openhands-ai==1.11.0 and Debian's chromium",
    references=("docker.openhands.dev/openhands/openhands:1.11", "ghcr.io/openhands/openhands:1.11.0"),
    settings={
        "Entrypoint": ["/usr/local/bin/openhands-entrypoint"],
        "Cmd": ["uvicorn", "openhands.app_server.app:app", "--host", "0.0.0.0", "--port", "3000"],
        "ExposedPorts": {"3000/tcp": {}},
        "WorkingDir": "/app",
        "Env": [
            f"PATH=/opt/oh/bin:{SYSTEM_PATH}",
            "SANDBOX_USER_ID=0",
            "FILE_STORE=local",
            "FILE_STORE_PATH=/.openhands",
            "SERVE_FRONTEND=false",
            "LITELLM_LOCAL_MODEL_COST_MAP=True",
        ],
    },
    directories=((".openhands", 0o755), ("app", 0o755), ("workspace/project", 0o755)),
    files={"usr/local/bin/openhands-entrypoint": "entrypoint-v0.sh"},
    siblings=(AGENT_SERVER,),
)
CANVAS = System(
    name="image canvas",
    title="agent-canvas",
    version="1.16.0",
    origin="the npm package @openhands/agent-canvas==1.16.0 and what its uvx installs",
    references=("ghcr.io/openhands/agent-canvas:1.16.0",),
    settings={
        "User": "openhands",
        "Entrypoint": ["tini", "--", "/usr/local/bin/canvas-entrypoint"],
        "ExposedPorts": {"8000/tcp": {}},
        "Volumes": {"/home/openhands/.openhands": {}, "/projects": {}},
        "WorkingDir": "/projects",
        # The two environments are found again only with the settings that they were made with.
        "Env": [
            f"PATH=/opt/node/bin:{SYSTEM_PATH}",
            "HOME=/home/openhands",
            "UV_OFFLINE=1",
            "UV_EXCLUDE_NEWER=2026-09-01",
            "UV_PYTHON=/usr/bin/python3",
            "UV_PYTHON_DOWNLOADS=never",
            "UV_COMPILE_BYTECODE=1",
            "LITELLM_LOCAL_MODEL_COST_MAP=True",
        ],
    },
    files={"usr/local/bin/canvas-entrypoint": "entrypoint-canvas.sh"},
)
IMAGES: Mapping[str, Image] = {"v0": V0, "v1": V1, "canvas": CANVAS}
OLLAMA: Mapping[str, Ollama] = {version: Ollama(version) for version in release.VERSIONS}
