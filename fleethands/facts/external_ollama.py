"""The answers of an external Ollama to this host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleethands.facts.framing import decode_base64
from fleethands.settings.expected import InvalidValue
from fleethands.settings.values.names import ModelName
from fleethands.untrusted import line, mapping, parse_json, printable, rows

MOST_MODELS = 10_000
DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
ADDRESS = re.compile(r"[0-9a-fA-F:.]{2,45}")
# the body, then curl's report about the answer (man curl, --write-out), then curl's exit status
_ANSWER = re.compile(
    r"(?P<body>.*)\n(?P<code>[0-9]{3})\|(?P<local>[^|\n]*)\|(?P<remote>[^|\n]*)\|(?P<leads>[^|\n]*)\|(?P<said>[^\n]*)"
    r"\n(?P<status>[0-9]{1,3})\n?\Z",
    re.DOTALL,
)


@dataclass(frozen=True)
class VersionRequest:
    """
    A request for the version, and how it ended.

    + status: curl's exit status, None for a damaged report; code: HTTP status, 0 without an answer
    + said: curl's error message
    + local, remote: addresses of the two ends, empty without a connection
    + leads: target of a redirect
    + ours: the host's own address on the route to it, looked up where no answer came
    """

    status: int | None = None
    code: int = 0
    said: str = ""
    local: str = ""
    remote: str = ""
    leads: str = ""
    ours: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the address is the host itself."""
        return self.local != "" and self.local == self.remote


def parse_version(text: str) -> tuple[str | None, VersionRequest]:
    """The version, None without one, and the request. Raises ProbeError for text that is not base64."""
    match = _ANSWER.match(decode_base64("ollama", text).decode(errors="replace"))
    if match is None:
        return None, VersionRequest()
    way = VersionRequest(
        int(match["status"]), int(match["code"]), printable(match["said"], 200), _address(match["local"]),
        _address(match["remote"]), printable(match["leads"], 200),
    )  # fmt: skip
    return (_version(match["body"]) if (way.status, way.code) == (0, 200) else None), way


def _version(body: str) -> str | None:
    try:
        return line(mapping(parse_json(body))["version"], 100)
    except (ValueError, LookupError):
        return None


def _address(text: str) -> str:
    return text if ADDRESS.fullmatch(text) else ""


def parse_source_address(text: str) -> str:
    """The host's own address on the route. Raises ValueError for anything else."""
    if not ADDRESS.fullmatch(text):
        raise ValueError(text)
    return text


def parse_models(text: str) -> dict[str, str]:
    """Name as Ollama lists it → digest, empty where it has none (api/types.go ListResponse, v0.32.15)."""
    listed = rows(mapping(parse_json(decode_base64("models", text)))["models"] or [], MOST_MODELS)
    return {name: _digest(each.get("digest")) for each in listed if (name := _name(each.get("name")))}


def _name(value: object) -> str:
    try:
        return str(ModelName.parse(line(value, 350)))
    except (ValueError, InvalidValue):
        return ""


def _digest(value: object) -> str:
    match = DIGEST.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else ""
