"""Words of others that are safe to show: on a terminal, in a page, in XML."""

from __future__ import annotations

import re

# terminals act on these
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# what XML 1.0 can't hold, lone surrogates, and marks that turn the direction of the text around them
_OTHER = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
REPLACEMENT = "\ufffd"


def sanitize(text: str) -> str:
    """A text that every form can hold, whatever a host put into it; colours of a terminal are left out."""
    return _OTHER.sub(REPLACEMENT, _SEQUENCE.sub("", text))


def sanitize_line(text: str, most: int = 500) -> str:
    """The same on one line, of so many characters."""
    line = sanitize(" ".join(text[: 4 * most].split()))  # `ssh` ends its lines with CR and LF
    return line if len(line) <= most else f"{line[:most]} …"
