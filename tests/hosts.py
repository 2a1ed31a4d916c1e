"""Observed hosts, as values, for tests that need no host."""

from __future__ import annotations

from typing import Any

from fleethands.facts.apt import Apt
from fleethands.facts.directories import Directories
from fleethands.facts.docker import Docker
from fleethands.facts.docker_engine import DockerEngine
from fleethands.facts.files import ABSENT
from fleethands.facts.gpu import Gpu
from fleethands.facts.lock import LockState
from fleethands.facts.network import Firewall
from fleethands.facts.ollama import ModelStore, Ollama
from fleethands.facts.probe import Probe
from fleethands.facts.probe_request import ProbeRequest
from fleethands.facts.service import Service
from fleethands.facts.system import Accounts, Space, System
from fleethands.facts.upstream import Upstream
from fleethands.settings import HostSettings, read_fleet


def declared(**data: Any) -> HostSettings:
    """Settings of one host from its host data, with a model to start from."""
    return read_fleet({"host": {"models": ["codellama:7b"], "ollama_version": "0.24.0", **data}})["host"]


def bare(settings: HostSettings | None = None) -> Probe:
    """A new Debian with nothing managed on it."""
    question = ProbeRequest.create(settings or declared())
    return Probe(
        {
            "system": System(0, "x86_64", "6.12.0", 1_700_000_000, "debian", "13", "Debian GNU/Linux 13", "running"),
            "disk": {place: Space(100 << 20, True, "1") for place in question.places},
            "gpu": Gpu(),
            "packages": frozenset(),
            "apt": Apt(),
            "accounts": Accounts({}, frozenset({"video", "render"})),
            "files": dict.fromkeys(question.files, ABSENT),
            "releases": {},
            "units": {},
            "service": Service(),
            "process": None,
            "ollama": Ollama(),
            "models": {},
            "store": ModelStore(),
            "directories": Directories(),
            "lock": LockState(),
            "docker": Docker(installed=False, engine=DockerEngine(room=Space(100 << 20, True, "1"))),
            "firewall": Firewall(installed=False),
            "sockets": (),
            "upstream": Upstream(),
        }
    )
