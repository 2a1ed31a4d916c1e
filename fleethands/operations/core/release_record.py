"""The release record that a host writes when its proof holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fleethands import __version__, paths
from fleethands.facts import Probe
from fleethands.facts.docker import Docker, Image
from fleethands.facts.record import KEPT, SCHEMA, Record
from fleethands.operations.core import provenance
from fleethands.settings import HostSettings
from fleethands.settings.serialize import to_json

FIRST, SHIFTED, SAME = "first", "yes", "no"


@dataclass(frozen=True)
class RecordVariables:
    """
    What the proof's script needs to write the record.

    + entry: the record as JSON without its end, where the script adds the run and the time; empty: it writes none
    + shift: whether the current record becomes the previous one
    + records, kept: path of the records without `.json`, and how many are kept
    """

    entry: str
    shift: str
    records: str
    kept: str

    @property
    def is_new(self) -> bool:
        """Whether the current record becomes the previous one. It stays if the host is as the record says."""
        return self.shift in {FIRST, SHIFTED}


NO_RECORD = RecordVariables("", "", "", "")


def current_record(probe: Probe) -> Record | None:
    """The record of the last proof that held; None without one."""
    return Record.parse(probe.files[paths.CURRENT_RECORD].content)


def new_record(settings: HostSettings, probe: Probe) -> RecordVariables:
    """The record to write once every link has held."""
    declared, versions = to_json(settings), _versions(settings, probe)
    known = current_record(probe)
    row = {
        "schema": SCHEMA,
        "by": provenance.user_at_controller(),
        "version": __version__,
        "revision": provenance.inventory_revision(),
        "declared": declared,
        "versions": versions,
    }
    return RecordVariables(
        entry=json.dumps(row).removesuffix("}"),
        shift=FIRST if known is None else SAME if known.same_as(declared, versions) else SHIFTED,
        records=paths.CURRENT_RECORD.removesuffix(".json"),
        kept=str(KEPT),
    )


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
