"""The Perl programs of the metrics, made of the files next to this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent
PARTS = ("output", "commands", "json", "ollama", "machine", "access_log", "collect")


@cache
def collect() -> str:
    """Collects the metrics, without privileges."""
    text = "".join((DIRECTORY / f"{name}.pl").read_text() for name in PARTS)
    return f"{_shorten(text)}__DATA__\n{(DIRECTORY / 'families.txt').read_text()}"


@cache
def publish() -> str:
    """Copies the metrics to where they are read, as root."""
    return _shorten((DIRECTORY / "publish.pl").read_text())


@cache
def families() -> dict[str, tuple[str, str]]:
    """Name → type and help of each metric."""
    rows = [line.split(" ", 2) for line in (DIRECTORY / "families.txt").read_text().splitlines()]
    return {name: (kind, text) for name, kind, text in rows}


def _shorten(text: str) -> str:
    """Comments and indentation stay here, because each probe of a host reads its programs."""
    lines = (line.strip() for line in text.splitlines())
    return "# Written by fleethands.\n" + "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))
