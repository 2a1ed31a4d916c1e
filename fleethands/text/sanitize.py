"""Makes foreign text safe to show on a terminal, in a page and in XML."""

from __future__ import annotations

import re

# sequences that terminals act on
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# characters that XML 1.0 does not allow, lone surrogates, and marks that change the direction of text
_OTHER = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
REPLACEMENT = "\ufffd"


def sanitize(text: str) -> str:
    """The same text for every output format, without terminal colors."""
    return _OTHER.sub(REPLACEMENT, _SEQUENCE.sub("", text))


def sanitize_line(text: str, most: int = 500) -> str:
    """The same text on one line, of at most `most` characters."""
    line = sanitize(" ".join(text[: 4 * most].split()))  # `ssh` ends its lines with CR and LF
    return line if len(line) <= most else f"{line[:most]} …"
