"""How the probe's answer is framed: sections between marks that a host cannot guess, each with its own status."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence

ORDINARY = (  # sections that need nothing but their own function `read_NAME`
    "accounts", "files", "releases", "units", "service", "process", "models", "store", "directories", "lock",
    "firewall",
)  # fmt: skip
SECTIONS = (  # in the order of the answer (probe.sh)
    "system", "disk", "gpu", "packages", "apt", *ORDINARY, "sockets", "ollama", "docker", "upstream",
)  # fmt: skip
_STATUS = re.compile(r"[0-9]{1,3}\Z")


class ProbeError(ValueError):
    """An answer that is incomplete or damaged; `section` names the first such section."""

    def __init__(self, section: str, problem: str) -> None:
        self.section = section
        super().__init__(f"probe section `{section}`: {problem}")


def split_sections(lines: Sequence[str], mark: str) -> Iterator[tuple[str, int, list[str]]]:
    """
    Yield (section, status, lines) for each section, in order.

    The answer must have every section once, in order and complete, and a last line with the sha256 of everything before
    it (`-` from a host without sha256sum). Raises ProbeError for any other answer, before it yields anything.
    """
    rows = _after_noise(lines, mark)
    found = list(_sections(iter(rows), mark))
    words = rows[-1].split(" ")
    if words[:2] != [mark, "done"] or len(words) != 3:
        raise ProbeError("done", "was cut off")
    text = "\n".join(rows[:-1]) + "\n"
    if not text.isascii() or words[2] not in {"-", hashlib.sha256(text.encode()).hexdigest()}:
        raise ProbeError("done", "the answer was damaged in transit")
    yield from found


def _sections(rows: Iterator[str], mark: str) -> Iterator[tuple[str, int, list[str]]]:
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
        if words[1:3] != ["end", name] or len(words) != 4 or not _STATUS.match(words[3]):
            raise ProbeError(name, "did not end where it should")
        yield name, int(words[3]), [line for line in body if line]
    if not next(rows, "").startswith(f"{mark} done ") or next(rows, None) is not None:
        raise ProbeError("done", "was cut off, or is not the end")


def decode_base64(section: str, text: str) -> bytes:
    """The bytes of a base64 word. Raises ProbeError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProbeError(section, "holds a broken value") from None


def decode_word(section: str, text: str) -> bytes:
    """The bytes of what the script's `spell` wrote: plain text after a colon, otherwise base64. Raises ProbeError."""
    return text.removeprefix(":").encode() if text.startswith(":") else decode_base64(section, text)


def parse_fields(lines: Sequence[str], *, known: frozenset[str]) -> dict[str, str]:
    """Parse `KEY VALUE` lines. Raises ValueError for a key that repeats or is not in `known`."""
    row: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(" ")
        if key in row or key not in known:
            raise ValueError(key)
        row[key] = value
    return row


def require_text(text: str) -> str:
    """The same text. Raises ValueError for an empty one."""
    if not text:
        raise ValueError("empty")
    return text


def _after_noise(lines: Sequence[str], mark: str) -> Sequence[str]:
    # a login shell may print a greeting before the script runs
    for index, line in enumerate(lines):
        if line.startswith(mark):
            return lines[index:]
    raise ProbeError(SECTIONS[0], "is missing: the host did not run the probe")
