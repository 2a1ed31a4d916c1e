"""What answers at Docker's socket, which unit runs it, and where its images are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts.framing import decode_word, parse_fields
from fleethands.facts.system import Space, disk_parser
from fleethands.untrusted import line

FLAGS = ("snap", "podman")
REPEATED = ("rootless ", "room ")
FIELDS = ("version ", "security ", "images ", "unit ", "gpus ")
ENGINE = (*FLAGS, *FIELDS, *REPEATED)
_GPUS = {each: each for each in ("", "runtime", "cdi")}
_OPTION = re.compile(r'"name=([a-z-]{1,50})[",]')
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,256}\Z")
_STATE = re.compile(r"[a-z-]{1,50}\Z")


@dataclass(frozen=True)
class DockerEngine:
    """
    The engine behind Docker's socket, or what is known of it while it does not answer.

    + version: empty where no engine, or Podman, answers
    + podman: whether Podman answers, or is the command `docker`; snap: whether Docker is installed as a snap
    + security: names of its security options (moby api/types/system/security_opts.go)
    + images: directory of its images; room: free space there, None if unknown
    + unit: the unit that runs it, if not docker.service; `-` for none; enabled: its state in systemd
    + gpus: how containers get NVIDIA GPUs: `runtime`, `cdi`, or empty for not at all
    + rootless: users who run an engine of their own, while the system's does not run
    """

    version: str = ""
    podman: bool = False
    snap: bool = False
    security: frozenset[str] = frozenset()
    images: str = paths.DOCKER_DATA
    room: Space | None = None
    unit: str = ""
    enabled: str = ""
    gpus: str = ""
    rootless: frozenset[str] = frozenset()


def parse_engine(lines: list[str]) -> DockerEngine:
    """Parse those lines of the section `docker` that describe the engine. Raises ValueError, ProbeError."""
    flags = set(FLAGS) & set(lines)
    owners = [each.partition(" ")[2] for each in lines if each.startswith("rootless ")]
    known = [each for each in lines if each.startswith(ENGINE) and each not in flags]
    row = parse_fields(
        [each for each in known if not each.startswith(REPEATED)], known=frozenset(map(str.strip, FIELDS))
    )
    unit, _, enabled = row.get("unit", " ").partition(" ")
    if "unit" in row and not (_UNIT.match(unit) and _STATE.match(enabled)):
        raise ValueError(row["unit"][:100])
    room = [each.removeprefix("room ") for each in lines if each.startswith("room ")]
    images = line(decode_word("docker", row["images"]).decode()) if "images" in row else paths.DOCKER_DATA
    return DockerEngine(
        version=line(row.get("version", ""), 100),
        podman="podman" in flags,
        snap="snap" in flags,
        security=frozenset(_OPTION.findall(row.get("security", ""))),
        images=images,
        room=disk_parser((images,))(room)[images] if room else None,
        unit=unit,
        enabled=enabled,
        gpus=_GPUS[row.get("gpus", "")],
        rootless=frozenset(line(owner, 100) for owner in owners),
    )
