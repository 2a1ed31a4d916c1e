"""Values as TOML reads them back (toml.io/en/v1.0.0, "String")."""

from __future__ import annotations

import json


def basic_string(value: str) -> str:
    """One quoted string: JSON's, but that TOML has no DEL in it and no halves of a character."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
