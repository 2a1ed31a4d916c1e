"""Where things lie on a host. Every path that fleethands manages is named here once."""

from __future__ import annotations

RELEASES = "/opt/ollama"
CURRENT = "/opt/ollama/current"
BINARY = "/usr/local/bin/ollama"
OLLAMA_UNIT = "/etc/systemd/system/ollama.service"
OLLAMA_OVERRIDE = "/etc/systemd/system/ollama.service.d/50-fleethands.conf"
OLLAMA_HOME = "/usr/share/ollama"
FIREWALL_RULES = "/etc/fleethands/firewall.nft"
FIREWALL_UNIT = "/etc/systemd/system/fleethands-firewall.service"
UNITS = "/etc/systemd/system/"
WANTED = "/etc/systemd/system/multi-user.target.wants/"
FIREWALL_LOADED = "/run/fleethands/firewall"
OPENHANDS_STATE = "/opt/openhands/state"
OPENHANDS_SETTINGS = "/opt/openhands/state/settings.json"
OPENHANDS_SEED = "/var/lib/fleethands/openhands-settings.json"
PROOF = "/var/lib/fleethands/proof"

OLLAMA_SERVICE = "ollama.service"
DOCKER_SERVICE = "docker.service"
FIREWALL_SERVICE = "fleethands-firewall.service"
CONTAINER = "openhands-app"
