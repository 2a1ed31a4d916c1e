"""The sentences of a plan that name a download, or a part of a bundle, its size and where it comes from."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.upstream import UNREACHABLE
from fleethands.settings import HostSettings
from fleethands.text.format import format_size

DOWNLOADS, SENT = "downloads ", "sent over SSH"


def describe_download(settings: HostSettings, probe: Probe, kind: str, name: str, what: str) -> str:
    """
    `downloads WHAT (SIZE)`, with the limit if there is one, and from which neighbor if the host shares downloads; or
    `takes WHAT from the bundle`. With what stays on the disk.

    + kind, name: as in the probe's upstream section
    """
    if settings.pins.bundles:
        return f"takes {what} from the bundle{describe_cost(settings, kind, None)}"
    offer = probe.upstream.find(kind, name)
    if settings.neighbors and offer is not None and offer.state == UNREACHABLE:
        far = f"because it does not reach {offer.server}"
        source = f"{DOWNLOADS}{what} from neighbors of the site {settings.site}, {far}"
        return f"{source}{describe_cost(settings, kind, None)}"
    size, limit = probe.upstream.size(kind, name), settings.download_limit
    known = format_size(size) if size is not None else "its source did not tell the size"
    limited = f", at most {format_size(limit)} a second" if limit is not None else ""
    return f"{DOWNLOADS}{what} ({known}{limited}){_describe_source(settings)}{describe_cost(settings, kind, size)}"


def _describe_source(settings: HostSettings) -> str:
    neighbors = settings.neighbors
    if not neighbors:
        return ""
    if settings.is_first_of_site:
        have = f"{neighbors[0]} has it" if len(neighbors) == 1 else f"one of {', '.join(sorted(neighbors)[:3])} has it"
        return f" from the internet for the site {settings.site}, unless {have}"
    return f" from {neighbors[0]}, or from the internet if no host of the site {settings.site} has it"


def describe_cost(settings: HostSettings, kind: str, size: int | None) -> str:
    """What stays on the disk. Ollama's store serves models, so that nothing else of them is kept."""
    if not settings.keeps_parts or kind == "model":
        return ""
    known = format_size(size) if size is not None else "its parts"
    return f"; {known} stay on the disk for hosts that are added to the site later"


def describe_delivery(settings: HostSettings, size: int) -> str:
    """`at most SIZE sent over SSH`, and from which neighbor the parts of a bundle come if the host shares downloads."""
    neighbors = settings.neighbors
    if not neighbors:
        return f"at most {format_size(size)} {SENT}"
    if settings.is_first_of_site:
        return f"at most {format_size(size)} {SENT}, once for the site {settings.site}"
    return f"at most {format_size(size)} from {neighbors[0]}, or {SENT} if no host of the site {settings.site} has it"


def is_download(consequence: str) -> bool:
    """Whether the consequence of a change names what neighbors could bring."""
    return DOWNLOADS in consequence or SENT in consequence
