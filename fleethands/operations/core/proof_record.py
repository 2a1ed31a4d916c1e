"""The proof record of a host: what each link of the last proof showed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fleethands import paths
from fleethands.settings import HostSettings
from fleethands.speed import Speed, read_speed
from fleethands.untrusted import parse_json, printable

if TYPE_CHECKING:  # its import brings pyinfra, and reports are also loaded without it
    from fleethands.facts import Probe
    from fleethands.facts.sentinel import SentinelResult

MOST_LINKS = 1000  # of one proof, which has some ten, and one for each model whose checksums are read
LONGEST_DETAIL, LONGEST_HINT, LONGEST_SPEED = (
    1000,
    4000,
    4000,
)  # characters; a hint may name a rule for each chain of a firewall
_LINK = re.compile(
    r"(?P<name>[!-~][ -~]{0,600})\t(?P<verdict>ok|broken)\t(?P<took>[0-9]{1,9})(?:\t(?P<said>[^\n]*))?\Z", re.ASCII
)


@dataclass(frozen=True)
class Link:
    """One link of a proof: its name, whether it held, how to repair it where it did not, and the speed it measured."""

    name: str
    ok: bool
    seconds: float
    detail: str
    hint: str = ""
    speed: Speed | None = None


def read_links(probe: Probe) -> list[Link]:
    """The links of the last proof that this host wrote down."""
    return parse_links(probe.files[paths.PROOF].content)


def parse_links(record: bytes | None) -> list[Link]:
    """The links of a proof record; none when there is no record, or one that cannot be read."""
    return list(_parse(record)) if record else []


@lru_cache(maxsize=16)  # the plan and the report of a host read its proof several times
def _parse(record: bytes) -> tuple[Link, ...]:
    rows = record.decode(errors="replace").removesuffix("\n").split("\n")
    found = [_LINK.match(row) for row in rows[: MOST_LINKS + 1]]
    if len(found) > MOST_LINKS or not all(found):
        return ()
    return tuple(_link(match) for match in found if match)


def _link(match: re.Match[str]) -> Link:
    detail, hint, speed = [*(match["said"] or "").split("\t"), "", "", ""][:3]
    texts = printable(detail, LONGEST_DETAIL), printable(hint, LONGEST_HINT)
    return Link(match["name"], match["verdict"] == "ok", int(match["took"]) / 1000, *texts, _speed(speed))


def _speed(text: str) -> Speed | None:
    """The speed that a link measured; None without one, or for one that cannot be read."""
    try:
        return read_speed(parse_json(text, LONGEST_SPEED)) if text else None
    except (ValueError, LookupError):
        return None


def broken_since(probe: Probe) -> SentinelResult | None:
    """What the host's sentinel found broken after its last proof; None for nothing."""
    found, proof = probe.sentinel, probe.files[paths.PROOF]
    if found is None or found.ok or proof.kind != "file" or proof.mtime == 0:  # a predicted proof is newer
        return None
    return found if found.seconds > proof.mtime else None


def measured_speed(links: list[Link]) -> Speed | None:
    """The speed that a proof measured."""
    return next((link.speed for link in links if link.speed), None)


def is_proven(settings: HostSettings, probe: Probe) -> bool:
    """
    Whether the declared state is proven, or there is nothing to prove.

    Once that is so, the previous container or service can no longer be restored.
    """
    if settings.model is None:
        return True
    links = read_links(probe)
    return all_hold(links) and is_of_declared_ollama(settings, links)


def all_hold(links: list[Link]) -> bool:
    """Whether there is a proof, and none of its links is broken."""
    return bool(links) and all(link.ok for link in links)


def is_of_declared_ollama(settings: HostSettings, links: list[Link]) -> bool:
    """
    Whether the proof was made with the Ollama that is declared.

    The proof names an external Ollama by its address and its model, because switching to one need not change the host.
    """
    asked = next((link.detail for link in links if link.name == "list"), None)
    if asked is None or settings.manages_ollama:
        return asked is None or not re.search(r", at https?://\S+\Z", asked)
    return asked.endswith(f"{settings.model} is there, at {settings.ollama_address}")
