"""Many hosts at once, and what befalls some of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.lab import observe
from tests.lab.host import Host
from tests.lab.lab import Lab

QUIET: dict[str, Any] = {"openhands_flavor": "off"}  # what is tried with many hosts is no matter of OpenHands
AT_ONCE = 4  # that are restored
CURL = "/usr/local/sbin/curl"  # found before /usr/bin/curl
BROKEN = """#!/bin/sh
case "$*" in
  */api/tags*)
    if grep -q 'OLLAMA_KEEP_ALIVE=%s"' /etc/systemd/system/ollama.service.d/50-fleethands.conf; then
      echo 'this setting breaks here' >&2
      exit 52
    fi
    ;;
esac
exec /usr/bin/curl "$@"
"""


def brought(lab: Lab, count: int, state: str) -> dict[str, Host]:
    """lab-1 to lab-`count`, each in a saved state."""
    lab.internet.clear_faults()
    hosts = {f"lab-{number}": lab[f"lab-{number}"] for number in range(1, count + 1)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda host: host.restore(state), hosts.values()))
    return hosts


def break_at(host: Host, keep_alive: str) -> None:
    """From now on the proof fails on this host where this `ollama_keep_alive` is set."""
    host.run(f"printf %s {shlex.quote(BROKEN % keep_alive)} > {CURL} && chmod 0755 {CURL}")


def mend(host: Host) -> None:
    """Undo it."""
    host.run(f"rm -f {CURL}")


def statuses(document: dict[str, Any]) -> dict[str, str]:
    """What a report says that hosts are."""
    return {name: host["status"] for name, host in document["hosts"].items()}


def kept_alive(hosts: Iterable[Host]) -> dict[str, str | None]:
    """How long the Ollama that runs on each host keeps a model, as the kernel has it."""
    hosts = list(hosts)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda host: observe.environment(host).get("OLLAMA_KEEP_ALIVE"), hosts)
        return dict(zip([host.name for host in hosts], found, strict=True))


def all_proven(hosts: Iterable[Host]) -> bool:
    """Whether every host's own record says that each link held."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        records = list(pool.map(observe.proof, hosts))
    return all(record and all(link.ok for link in record) for record in records)
