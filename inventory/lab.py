"""The hosts of this checkout's lab that run; `make lab` boots them. Host keys are checked."""

import ipaddress as _ipaddress
import json as _json
import os as _os
from pathlib import Path as _Path

_LAB = _Path(__file__).resolve().parent.parent / _os.environ.get("FLEETHANDS_LAB", ".lab")
_DATA = {
    "ssh_user": "root",
    "ssh_key": str(_LAB / "id_ed25519"),
    "ssh_known_hosts_file": str(_LAB / "known_hosts"),
    "ssh_strict_host_key_checking": "yes",
    "ssh_allow_agent": False,
    "ssh_look_for_keys": False,
    "ollama_version": "0.24.0",
    "models": ["codellama:7b"],
    "openhands_image": "ghcr.io/all-hands-ai/openhands:main",
}


def _running() -> list[tuple[str, dict[str, object]]]:
    """A host runs where its cable hangs on the lab's bridge: `vb-BRIDGE-N` is lab-N's."""
    try:
        known = _json.loads((_LAB / "lab.json").read_text())
    except FileNotFoundError:
        return []
    network = _ipaddress.ip_network(known["network"])
    cables = _Path("/sys/class/net").glob(f"vb-{known['bridge']}-*")
    numbers = sorted(int(cable.name.rpartition("-")[2]) for cable in cables)
    return [(f"lab-{number}", {**_DATA, "ssh_hostname": str(network[10 + number])}) for number in numbers]


lab = _running()
if not lab:
    raise SystemExit("error: no host of the lab is up\n\nhint: boot three of them: `make lab`")
