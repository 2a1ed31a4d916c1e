"""Values in TOML (toml.io/en/v1.0.0, "String")."""

from __future__ import annotations

import json


def basic_string(value: str) -> str:
    """One quoted string: the same as in JSON, except that TOML escapes DEL."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
