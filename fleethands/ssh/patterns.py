"""Patterns of names as OpenSSH has them (ssh_config(5), PATTERNS)."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(4096)
def pattern(text: str) -> re.Pattern[str]:
    """`*` and `?` alone have a meaning; a name with a port stands in brackets."""
    return re.compile("".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in text) + r"\Z", re.DOTALL)
