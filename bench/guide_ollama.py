"""
The guide's steps for Ollama as a plain pyinfra deploy, as one would write it without fleethands.

`pyinfra INVENTORY bench/guide_ollama.py -y`, with the host data `ollama_version`, `models` and `variables`.
"""

from io import StringIO

from pyinfra import host
from pyinfra.operations import apt, files, server, systemd

OVERRIDE = """[Service]
{% for name, value in variables.items() %}
Environment="{{ name }}={{ value }}"
{% endfor %}
"""
PLACE = "/etc/systemd/system/ollama.service.d/guide.conf"
INSTALL = f"curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION={host.data.ollama_version} sh"
WAIT = "for try in $(seq 240); do ollama list >/dev/null 2>&1 && exit; sleep 0.25; done; exit 1"

apt.update(name="Read the lists of packages", cache_time=86400)
apt.packages(name="Install what is needed", packages=["ca-certificates", "curl", "zstd"], no_recommends=True)
server.user(name="Create Ollama's user", user="ollama", system=True)
server.shell(name="Install Ollama", commands=[f"[ -x /usr/local/bin/ollama ] || {{ {INSTALL}; }}"])
override = files.template(
    name="Write the override", src=StringIO(OVERRIDE), dest=PLACE, mode="644", variables=host.data.variables
)
systemd.service(
    name="Restart Ollama", service="ollama.service", restarted=True, daemon_reload=True, _if=override.did_change
)
systemd.service(name="Run Ollama", service="ollama.service", running=True, enabled=True)
pulls = [f"ollama show {model} >/dev/null 2>&1 || ollama pull {model}" for model in host.data.models]
server.shell(name="Pull the models", commands=[f"({WAIT})", *pulls])
