"""The sentence of a plan that names a download and its size."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.settings import HostSettings
from fleethands.text.format import format_size


def describe_download(settings: HostSettings, probe: Probe, kind: str, name: str, what: str) -> str:
    """
    `downloads WHAT (SIZE)`, with the limit if there is one; or `takes WHAT from the bundle`.

    + kind, name: as in the probe's upstream section
    """
    if settings.pins.bundles:
        return f"takes {what} from the bundle"
    size, limit = probe.upstream.size(kind, name), settings.download_limit
    known = format_size(size) if size is not None else "its source did not tell the size"
    return f"downloads {what} ({known}{f', at most {format_size(limit)} a second' if limit is not None else ''})"
