"""Reads Docker: the container and the image in question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleethands.facts.engine import ENGINE, DockerEngine, parse_engine
from fleethands.facts.framing import decode_base64, parse_fields, require_text
from fleethands.facts.to_json import DIGEST
from fleethands.untrusted import line, mapping, parse_json, rows

Lines = list[str]
DOCKER = frozenset({"container", "image", "origin", "ollama_image"})
REPEATED = ("publisher ", "gone ")
OURS = "fleethands."  # begins the names of our labels
OWN = (DIGEST, "fleethands.made")  # the second is another for each container (container.sh)
EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104  what listeners are said to have, too
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{1,64}")


@dataclass(frozen=True)
class Container:
    """
    image: its id; tag: the name that the container was made with.

    labels: without ours where they may be its image's: `docker commit` hands on those of a container of ours.
    published: (port, address) on the host; the address is empty for all of them.
    """

    id: str
    state: str
    image: str
    labels: Mapping[str, str]
    started: str
    tag: str = ""
    published: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Image:
    """An image on the host: its id, and the digests by which registries know it."""

    id: str
    digests: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Publisher:
    """A container, not ours, that holds a port of ours; image: the name that it was made with."""

    port: int
    name: str
    image: str = ""


@dataclass(frozen=True)
class Docker:
    """
    installed: the command is there; version None: no engine answers it.

    image: id of the image in question; digests: those by which registries know it.
    ollama_image: the one that Ollama is to run from; None where it is not here, or Ollama runs from none.
    publishers: containers, not ours, that hold a port of ours: published, or in the host's own network.
    gone: ids of images of release records that are not here any more.
    """

    installed: bool
    version: str | None = None
    container: Container | None = None
    image: str | None = None
    digests: frozenset[str] = frozenset()
    ollama_image: Image | None = None
    publishers: tuple[Publisher, ...] = ()
    gone: frozenset[str] = frozenset()
    engine: DockerEngine = field(default_factory=DockerEngine)


def parse_docker(lines: Lines) -> Docker:
    found, lines = parse_engine(lines), [each for each in lines if not each.startswith(ENGINE)]
    if lines in (["missing"], ["stopped"]):
        return Docker(lines == ["stopped"], engine=found)
    published = [row.split(" ")[1:] for row in lines if row.startswith("publisher ")]
    gone = [row.partition(" ")[2] for row in lines if row.startswith("gone ")]
    if wrong := next((each for each in gone if not IMAGE_ID.fullmatch(each)), None):
        raise ValueError(wrong[:100])
    row = parse_fields([each for each in lines if not each.startswith(REPEATED)], known=DOCKER)
    container, image = _inspected(row["container"]), _inspected(row.get("image", "-"))
    origin = _inspected(row["origin"]) if "origin" in row else image
    return Docker(
        installed=True,
        version=require_text(found.version),
        container=_container(container, origin) if container is not None else None,
        image=line(image["Id"]) if image is not None else None,
        digests=_digests(image),
        ollama_image=_image(_inspected(row.get("ollama_image", "-"))),
        publishers=tuple(_publisher(*words) for words in published),
        gone=frozenset(gone),
        engine=found,
    )


def _digests(image: dict[str, Any] | None) -> frozenset[str]:
    return frozenset(str(name).rpartition("@")[2] for name in (image or {}).get("RepoDigests") or ())


def _image(image: dict[str, Any] | None) -> Image | None:
    return Image(line(image["Id"]), _digests(image)) if image is not None else None


def _publisher(port: str, name: str, image: str = "") -> Publisher:
    return Publisher(int(port), line(name), line(image))


def _inspected(text: str) -> dict[str, Any] | None:
    if text == "-":
        return None
    (row,) = rows(parse_json(decode_base64("docker", text)))
    return row


def _container(row: dict[str, Any], origin: dict[str, Any] | None) -> Container:
    state, config = mapping(row["State"]), mapping(row["Config"])
    return Container(
        id=line(row["Id"]),
        state=line(state["Status"]),
        image=line(row["Image"]),
        labels=_labels(row, origin),
        started=line(state["StartedAt"]),
        tag=line(config["Image"]),
        published=tuple(_published(mapping(row.get("HostConfig") or {}))),
    )


def _published(config: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """By what a container was made with: it has them for as long as it runs."""
    for bindings in mapping(config.get("PortBindings") or {}).values():
        for binding in rows(bindings or []):
            port, address = line(binding["HostPort"], 5), line(binding.get("HostIp") or "", 100)
            if port:
                yield int(port), "" if address in EVERYWHERE else address


def _labels(row: dict[str, Any], origin: dict[str, Any] | None) -> dict[str, str]:
    """Those of a container, but ours only if its image is known and says something else."""
    labels, inherited = _texts(row), _texts(origin or {})
    is_known = origin is not None and origin["Id"] == row["Image"]
    if is_known and any(labels.get(name) != inherited.get(name) for name in OWN):
        return labels
    return {name: value for name, value in labels.items() if not name.startswith(OURS)}


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """The labels of a container or an image that are text."""
    labels = mapping(mapping(row.get("Config") or {}).get("Labels") or {})
    return {name: value for name, value in labels.items() if isinstance(value, str)}
