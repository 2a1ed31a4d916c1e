"""What is written down of a host when its proof held."""

from __future__ import annotations

import json
from typing import Any

from fleethands import __version__, paths
from fleethands.facts import Probe
from fleethands.facts.docker import Docker, Image
from fleethands.facts.record import KEPT, SCHEMA, Record
from fleethands.operations.core import provenance
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.serialize import written

FIRST, SHIFTED = "first", "yes"


def current_record(probe: Probe) -> Record | None:
    """The record of what was proven here last; None where nothing was."""
    return Record.parse(probe.files[paths.RECORD].content)


def new_record(settings: HostSettings, probe: Probe) -> dict[str, str]:
    """
    What the proof's script needs to write a record down, once every link has held.

    A host of which it says nothing new keeps its history: the record of now is only written anew.
    """
    declared, versions = written(settings), _versions(settings, probe)
    known = current_record(probe)
    row = {
        "schema": SCHEMA,
        "by": provenance.user_at_controller(),
        "version": __version__,
        "revision": provenance.inventory_revision(),
        "declared": declared,
        "versions": versions,
    }
    return {
        # the script adds when, and by which run
        "entry": json.dumps(row).removesuffix("}"),
        "shift": FIRST if known is None else "no" if known.same_as(declared, versions) else SHIFTED,
        "records": paths.RECORD.removesuffix(".json"),
        "kept": str(KEPT),
    }


def is_new(script: Script) -> bool:
    """Whether a proof's script writes down something new: what was proven last stands one record further back then."""
    return script.values.get("shift") in {FIRST, SHIFTED}


def _elsewhere(probe: Probe) -> str:
    """The version that an Ollama elsewhere says."""
    return (probe.ollama.version or "") if probe.knows("ollama") else ""


def _versions(settings: HostSettings, probe: Probe) -> dict[str, Any]:
    digests = probe.models if probe.knows("models") else {}
    docker = probe.docker if probe.knows("docker") else None
    image = docker.container.image if docker and docker.container and settings.container_image else ""
    known = docker.digests if docker and image and docker.image == image else frozenset()
    return {
        "ollama": settings.ollama_version if settings.manages_ollama else _elsewhere(probe),
        "models": {str(each.name): digests.get(str(each.name), "") for each in settings.models},
        "image": _image(settings.declared_image, image, known),
        **_of_ollama(settings, docker),
    }


def _image(name: str, id: str, digests: frozenset[str]) -> dict[str, str]:
    digest = min(digests) if len(digests) == 1 else ""  # of several names, it is not known whose it is
    return {"name": name, "id": id, **({"digest": digest} if digest else {})}


def _of_ollama(settings: HostSettings, docker: Docker | None) -> dict[str, Any]:
    if not settings.ollama_declared_image:
        return {}
    found = (docker.ollama_image if docker else None) or Image("")
    return {"ollama_image": _image(settings.ollama_declared_image, found.id, found.digests)}
