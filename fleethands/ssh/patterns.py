"""OpenSSH's patterns of host names (ssh_config(5), PATTERNS)."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(4096)
def pattern(text: str) -> re.Pattern[str]:
    """A pattern where only `*` and `?` are special, because a name with a port has brackets."""
    return re.compile("".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in text) + r"\Z", re.DOTALL)
