"""
The guide's steps as a plain pyinfra deploy with pyinfra's own operations, as one would write it without fleethands.

`pyinfra inventory/lab.py bench/guide_deploy.py -y` on hosts in their final state. Its override is where
systemd does not read it, so the hosts stay as they are. The comparison costs the same.
"""

from io import StringIO

from pyinfra import host
from pyinfra.facts.server import Command
from pyinfra.operations import apt, docker, files, server, systemd

OVERRIDE = """# the guide's
[Service]
{% for name, value in variables.items() %}
Environment="{{ name }}={{ value }}"
{% endfor %}
"""
PLACE = "/etc/systemd/system/ollama.service.d/guide.conf.example"
WORKSPACE = "/opt/openhands/workspace"
version = f"ollama --version 2>/dev/null | grep -o '{host.data.ollama_version}' || true"

apt.packages(
    name="Install what is needed", packages=["ca-certificates", "curl", "docker.io", "zstd"], no_recommends=True
)
systemd.service(name="Run Docker", service="docker.service", running=True, enabled=True)
server.user(name="Create Ollama's user", user="ollama", system=True)
if host.get_fact(Command, version) != host.data.ollama_version:
    server.shell(name="Install Ollama", commands=["curl -fsSL https://ollama.com/install.sh | sh"])
override = files.template(
    name="Write the override",
    src=StringIO(OVERRIDE),
    dest=PLACE,
    mode="644",
    variables={"OLLAMA_HOST": "0.0.0.0:11434", "OLLAMA_ORIGINS": "*"},
)
systemd.daemon_reload(name="Read it", _if=override.did_change)
systemd.service(name="Run Ollama", service="ollama.service", running=True, enabled=True)
for model in host.loop(host.data.models):
    if model not in host.get_fact(Command, "ollama list"):
        server.shell(name="Pull the model", commands=[f"ollama pull {model}"])
# its home is root's here: pyinfra would give it to the user
server.user(name="Create the workspace's user", user="openhands", ensure_home=False)
files.directory(name="Create the workspace", path=WORKSPACE)
docker.image(name="Pull OpenHands", image=host.data.openhands_image)
docker.container(
    name="Run OpenHands",
    container="openhands-app",
    image=host.data.openhands_image,
    ports=["127.0.0.1:3000:3000"],
    volumes=[f"{WORKSPACE}:/opt/workspace_base", "/var/run/docker.sock:/var/run/docker.sock"],
    env_vars=["LLM_MODEL=ollama/codellama:7b", "LLM_BASE_URL=http://host.docker.internal:11434"],
    extra_args=["--add-host", "host.docker.internal:host-gateway"],
)
