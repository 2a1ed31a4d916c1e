"""The key that Agent Canvas asks for in its page."""

from __future__ import annotations

import re

KEY = re.compile(r"[0-9a-f]{64}")  # as openhands.sh makes it


def is_canvas_key(text: str) -> bool:
    """Whether a host's answer is such a key, and may be printed on a terminal."""
    return KEY.fullmatch(text) is not None
