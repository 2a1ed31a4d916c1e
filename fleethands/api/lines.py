"""Parts of a command line, from what a program gives a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fleethands.command_line import CONNECTION_DATA
from fleethands.data_pairs import format_pairs


def join_patterns(patterns: str | Iterable[str]) -> str:
    """Host patterns as `--hosts` takes them."""
    return patterns if isinstance(patterns, str) else ",".join(patterns)


def connection_pairs(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The `KEY=VALUE` pairs by which a host is reached. A password has no pair, because hints are shown."""
    reaching = {key: value for key, value in data.items() if key.startswith(CONNECTION_DATA)}
    return format_pairs({key: value for key, value in reaching.items() if "password" not in key})
