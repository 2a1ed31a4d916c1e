"""
The types of settings as JSON Schema, for editors and CI.

A form accepts every value that the type accepts. It refuses wrong types, and texts that do not match a pattern. The
validators in types.py refuse the rest, with a reason.
"""

from __future__ import annotations

from typing import Any

Form = dict[str, Any]


def _text(pattern: str, **more: Any) -> Form:
    return {"type": "string", "pattern": pattern, **more}


LINE = r"[^\x00-\x1f\x7f]"
TEXT = _text(r"^[^\x00]*$")
RELEASE = _text(r"^[0-9]+\.[0-9]+\.[0-9]+(-rc[0-9]+)?$")
URL = _text(r"^(https?|file)://[^\s]+$")
BASE_URL = _text(r"^[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9._\[\]:-]+/?$")
SHA256 = _text("^[0-9a-f]{64}$")
DIGESTS: Form = {
    "anyOf": [
        SHA256,
        {
            "type": "object",
            "properties": {"amd64": SHA256, "arm64": SHA256},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ]
}
LISTEN = _text(r"^([0-9.]+|[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$")
IP = _text(r"^[0-9A-Fa-f:.]+$")
NETWORK = _text(r"^[0-9A-Fa-f:.]+(%[^/]*)?(/[0-9A-Fa-f:.]+)?$")
SERVER_NAME = _text(r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+)$", maxLength=253)
SECRET: Form = {}  # docs/json_schema.py has it
BACKEND = _text("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
CLIENT = _text("^[a-z][a-z0-9_-]{0,31}$")
ORIGIN = _text("^[^\\s,\"']+$")
PATH = _text(rf"^/(?!(.*/)?\.\.(/|$))(?!/*$)(?:(?!:){LINE})+$")
USER = _text("^(?!(root|ollama)$)[a-z][a-z0-9_-]{0,31}$")
MODEL = _text(r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$", maxLength=520)
PORT: Form = {"type": "integer", "minimum": 1, "maximum": 65535}
COUNT: Form = {"type": "integer", "minimum": 1}
_PART = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)"
DURATION: Form = {"anyOf": [_text(rf"^[-+]?([0-9]+|({_PART})+)$"), {"type": "integer"}]}
RATE: Form = {
    "anyOf": [
        _text(r"^[0-9]{1,12}(\.[0-9]{1,6})? ?(B|kB|MB|GB|KiB|MiB|GiB|bit|kbit|Mbit|Gbit)/s$"),
        {"type": "integer", "minimum": 16384, "maximum": 1 << 40},
    ]
}
REPOSITORY = _text("^(?:[Hh][Tt][Tt][Pp][Ss]?|[Ss][Ss][Hh]|[Gg][Ii][Tt]|[Ff][Ii][Ll][Ee]):[!-~]+$")
TIME = _text("^([01][0-9]|2[0-3]):[0-5][0-9]$")
WEBHOOK = _text(r"""^[Hh][Tt][Tt][Pp][Ss]?://[^\s"'\\]+$""", maxLength=2000)
SITE = _text(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
GIT_REF = _text(r"^[A-Za-z0-9_][A-Za-z0-9._/+@-]*$", maxLength=200)
IMAGE = _text(r"^[A-Za-z0-9\[][A-Za-z0-9_.:/@\[\]-]*$")
