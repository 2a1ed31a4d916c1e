"""How the probe's answer is framed: sections between marks that nobody can guess, each with its own status."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

SECTIONS = (
    "system", "disk", "packages", "accounts", "files", "releases", "units",
    "process", "ollama", "models", "store", "docker", "firewall", "sockets",
)  # fmt: skip


class ProbeError(ValueError):
    """An answer that can't be read whole; names the section."""

    def __init__(self, section: str, problem: str) -> None:
        self.section = section
        super().__init__(f"probe section `{section}`: {problem}")


def split(lines: Sequence[str], mark: str) -> Iterator[tuple[str, int, list[str]]]:
    """
    Yield (section, status, lines) for each section in its order.

    Raises ProbeError for anything but every section once, in order, ended, and the last mark.
    """
    rows = iter(_after_noise(lines, mark))
    for name in SECTIONS:
        if next(rows, None) != f"{mark} begin {name}":
            raise ProbeError(name, "did not begin where it should")
        body: list[str] = []
        for row in rows:
            if row.startswith(mark):
                break
            body.append(row)
        else:
            raise ProbeError(name, "was cut off")
        words = row.split(" ")
        if words[1:3] != ["end", name] or len(words) != 4 or not words[3].isdigit():
            raise ProbeError(name, "did not end where it should")
        yield name, int(words[3]), [line for line in body if line]
    if list(rows) != [f"{mark} done"]:
        raise ProbeError("end", "was cut off")


def decode(section: str, text: str) -> bytes:
    """Bytes of a base64 word. Raises ProbeError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProbeError(section, "holds a broken value") from None


def _after_noise(lines: Sequence[str], mark: str) -> Sequence[str]:
    # a login shell may greet before the script speaks
    for index, line in enumerate(lines):
        if line.startswith(mark):
            return lines[index:]
    raise ProbeError(SECTIONS[0], "is missing: the host did not run the probe")
