"""Settings with an external Ollama, and hosts that use one."""

from __future__ import annotations

from typing import Any

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.files import File
from fleethands.facts.network import Listener
from fleethands.facts.ollama import Ollama, Process, Release
from fleethands.settings import HostSettings
from tests.hosts import bare, declared

URL = "http://10.0.0.5:11434"
DIGEST = "8fdf" * 16
OWN_UNIT = File("file", "0644", owner="root:root", content=b"# Written by fleethands\n")
EXTERNAL_PROOF = File("file", "0644", content=f"list\tok\t0\tcodellama:7b is there, at {URL}\t\n".encode())
SERVICE_PROOF = File("file", "0644", content=b"list\tok\t0\tcodellama:7b is there\t\n")


def declare_external(**more: Any) -> HostSettings:
    return declared(**{"ollama_runtime": "external", "ollama_address": URL, "openhands_flavor": "off", **more})


def probe_external(settings: HostSettings, **there: str) -> Probe:
    """A new host that gets an answer from an Ollama elsewhere, with these models."""
    way = VersionRequest(0, 200, local="10.0.0.9", remote="10.0.0.5")
    return bare(settings).replace(ollama=Ollama("0.24.0", way=way), models=there or {"codellama:7b": DIGEST})


def add_service(seen: Probe) -> Probe:
    """The same host with a managed service, which answers on every address."""
    listener = Listener(11434, "*", "ollama", 7)
    seen = seen.replace(process=Process(7, 1, "/opt/ollama/0.24.0/bin/ollama", {}), sockets=(listener,))
    return seen.replace(releases={"0.24.0": Release("0" * 64, True)}).with_file(paths.OLLAMA_UNIT, OWN_UNIT)
