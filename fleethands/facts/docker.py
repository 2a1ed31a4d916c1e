"""Docker: the containers and images that fleethands uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleethands.facts.docker_engine import ENGINE, DockerEngine, parse_engine
from fleethands.facts.framing import decode_word, parse_fields, require_text
from fleethands.facts.to_json import all_fields
from fleethands.untrusted import line, mapping, parse_json, rows

Lines = list[str]
Loaded = list[tuple[str, str]]  # digest in a registry and id of each image that fleethands loaded
DOCKER = frozenset({"container", "image", "origin", "ollama_image"})
REPEATED = ("publisher ", "gone ", "loaded ")
OURS = "fleethands."  # begins the names of fleethands' labels
SPEC_LABEL = "fleethands.spec"  # digest of all settings that a container was made from
OWN = (SPEC_LABEL, "fleethands.made")  # the second differs for each container (container.sh)
EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104  as `ss` and Docker write it
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{1,64}")


@dataclass(frozen=True)
class Container:
    """
    A container.

    + image: its id; tag: the name of the image in the command that made the container
    + labels: without fleethands' own, if the image may have brought them: `docker commit` copies labels into an image
    + published: (port, address) on the host; the address is empty for all addresses
    """

    id: str
    state: str
    image: str
    labels: Mapping[str, str]
    started: str
    tag: str = ""
    published: tuple[tuple[int, str], ...] = ()

    def public_fields(self, secrets: Collection[str]) -> Mapping[str, Any]:
        """JSON has no digest of the settings: from it, one could find a secret setting by trial."""
        labels = {name: each for name, each in self.labels.items() if name != SPEC_LABEL}
        return {**all_fields(self), "labels": labels}


@dataclass(frozen=True)
class Image:
    """An image on the host: its id, and its digests in registries."""

    id: str
    digests: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Publisher:
    """A foreign container on a port that fleethands uses. `image` is the name in the command that made it."""

    port: int
    name: str
    image: str = ""


@dataclass(frozen=True)
class Docker:
    """
    Docker on a host.

    + installed: whether the command exists; version: None where no engine answers it
    + image: id of OpenHands' image, None where it is missing; digests: that image's in registries
    + ollama_image: the image for Ollama in a container, None where it is missing or not used
    + publishers: foreign containers on ports that fleethands uses, published or in the host's network
    + gone: ids of images that release records name, and that are missing
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
    """Parse the section `docker`. Raises ValueError, LookupError, ProbeError for an unknown line."""
    found, lines = parse_engine(lines), [each for each in lines if not each.startswith(ENGINE)]
    if lines in (["missing"], ["stopped"]):
        return Docker(lines == ["stopped"], engine=found)
    published = [row.split(" ")[1:] for row in lines if row.startswith("publisher ")]
    gone = [row.partition(" ")[2] for row in lines if row.startswith("gone ")]
    if wrong := next((each for each in gone if not IMAGE_ID.fullmatch(each)), None):
        raise ValueError(wrong[:100])
    loaded = [(words[0], words[1]) for words in (row.split(" ")[1:] for row in lines if row.startswith("loaded "))]
    row = parse_fields([each for each in lines if not each.startswith(REPEATED)], known=DOCKER)
    container, image = _inspected(row["container"]), _inspected(row.get("image", "-"))
    origin = _inspected(row["origin"]) if "origin" in row else image
    return Docker(
        installed=True,
        version=require_text(found.version),
        container=_container(container, origin) if container is not None else None,
        image=line(image["Id"]) if image is not None else None,
        digests=_digests(image, loaded),
        ollama_image=_image(_inspected(row.get("ollama_image", "-")), loaded),
        publishers=tuple(_publisher(*words) for words in published),
        gone=frozenset(gone),
        engine=found,
    )


def _digests(image: dict[str, Any] | None, loaded: Loaded) -> frozenset[str]:
    known = {str(name).rpartition("@")[2] for name in (image or {}).get("RepoDigests") or ()}
    return frozenset(known | {digest for digest, id in loaded if image is not None and id == image["Id"]})


def _image(image: dict[str, Any] | None, loaded: Loaded) -> Image | None:
    return Image(line(image["Id"]), _digests(image, loaded)) if image is not None else None


def _publisher(port: str, name: str, image: str = "") -> Publisher:
    return Publisher(int(port), line(name), line(image))


def _inspected(text: str) -> dict[str, Any] | None:
    if text == "-":
        return None
    (row,) = rows(parse_json(decode_word("docker", text)))
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
    """The bindings that a container was made with. They stay the same while it runs."""
    for bindings in mapping(config.get("PortBindings") or {}).values():
        for binding in rows(bindings or []):
            port, address = line(binding["HostPort"], 5), line(binding.get("HostIp") or "", 100)
            if port:
                yield int(port), "" if address in EVERYWHERE else address


def _labels(row: dict[str, Any], origin: dict[str, Any] | None) -> dict[str, str]:
    """A container's labels. It keeps fleethands' own only where its image is known and has other ones."""
    labels, inherited = _texts(row), _texts(origin or {})
    is_known = origin is not None and origin["Id"] == row["Image"]
    if is_known and any(labels.get(name) != inherited.get(name) for name in OWN):
        return labels
    return {name: value for name, value in labels.items() if not name.startswith(OURS)}


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """The labels of a container or an image whose values are text."""
    labels = mapping(mapping(row.get("Config") or {}).get("Labels") or {})
    return {name: value for name, value in labels.items() if isinstance(value, str)}
