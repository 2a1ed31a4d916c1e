"""Parts of a command line, from what a program gives a fleet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from fleethands.command_line import CONNECTION_DATA
from fleethands.data_pairs import format_pairs
from fleethands.errors import UsageError

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
# a program does not expect to find these in a hint; the path `ssh_key` may be there
_SECRET = re.compile(r"passw|passphrase|pwd|token|secret|credential", re.IGNORECASE)


def join_patterns(patterns: str | Iterable[str]) -> str:
    """Host patterns as `--hosts` takes them."""
    return patterns if isinstance(patterns, str) else ",".join(patterns)


def list_bundles(files: Paths, upstream: bool) -> tuple[str, ...]:
    """
    The absolute paths of bundles. The worker reads the files.

    Raises UsageError.
    """
    named = (files,) if isinstance(files, str | PathLike) else tuple(files)
    if named and upstream:
        reason = "`bundle` takes everything from a file, and `upstream=True` asks the registries"
        raise UsageError(reason, "leave out one of them")
    return tuple(str(Path(fspath(each)).absolute()) for each in named)


def shown_pairs(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Host data as `KEY=VALUE` pairs for hints and reports, without those in which a name promises a secret."""
    return format_pairs({key: value for key, value in data.items() if not _may_have_secret(key, value)})


def connection_pairs(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for what it takes to reach a host."""
    return shown_pairs({key: value for key, value in data.items() if key.startswith(CONNECTION_DATA)})


def _may_have_secret(key: str, value: Any) -> bool:
    """Also for `{"passphrase": …}` in ssh_paramiko_connect_kwargs, and for variables in `_env`."""
    if _SECRET.search(key):
        return True
    return isinstance(value, Mapping) and any(_may_have_secret(str(name), each) for name, each in value.items())
