"""Options of a command line that select hosts, as they were typed."""

from __future__ import annotations

from fleethands.errors import UsageError
from fleethands.fleet.shard import WHOLE, Shard


def parse_shard(text: str) -> Shard:
    """The value of `--shard`; the whole fleet for an empty one. Raises UsageError."""
    try:
        return Shard.parse(text) if text else WHOLE
    except ValueError as error:
        raise UsageError(f"`--shard` {error}") from None
