"""A deploy of our own, with the tasks of fleethands between our operations."""

from io import StringIO

from pyinfra import host
from pyinfra.operations import files, server, systemd

from fleethands.tasks import models, ollama, openhands, proof

LIMITS = f"""\
[Service]
Nice={host.data.ollama_nice}
"""

# OpenHands will use the account that is here already
server.user(
    name="Create the agents' account",
    user="agents",
    home=host.data.agents_home,
    shell="/usr/sbin/nologin",
    system=True,
    create_home=False,
)
files.directory(name="Create the directory of backups", path=host.data.ollama_backup_dir, mode="750")

# brings preflight, Docker and the firewall along
ollama.serve()

# fleethands reads the host again after operations that changed it
limits = files.put(
    name="Lower Ollama's priority",
    src=StringIO(LIMITS),
    dest="/etc/systemd/system/ollama.service.d/90-priority.conf",
    mode="644",
)
systemd.service(
    name="Restart Ollama with it", service="ollama", restarted=True, daemon_reload=True, _if=limits.did_change
)
server.shell(
    name="Wait for Ollama",
    commands=["curl -fsS -o /dev/null --retry 30 --retry-delay 1 --retry-connrefused localhost:11434/api/version"],
    _if=limits.did_change,
)

models.pull()
openhands.serve()
proof.prove()

files.put(name="Greet who logs in", src=StringIO(f"{host.data.greeting}\n"), dest="/etc/motd", mode="644")
