"""
Finds what other people's operations did to a host between two operations of fleethands, in pyinfra's own state.

A deploy file may have any operations between those of fleethands. The number of them that sent commands says whether a
probe still holds. pyinfra's facts send commands too, and change nothing, so commands themselves are not counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pyinfra.api import State
from pyinfra.api.host import Host


def count_executed(state: State, host: Host, own: Collection[str]) -> int:
    """
    How many foreign operations sent at least one command to a host, whether they succeeded or not.

    + own: hashes of fleethands' operations

    An operation inside a `python.call` counts that one too, because it is not complete and may have done anything.
    """
    complete = (each for _, each in _foreign(state, host, own) if each.operation_meta.is_complete())
    return sum(each.operation_meta.executed for each in complete) + is_nested(host)


def is_nested(host: Host) -> bool:
    """Whether the current operation runs inside another one, which is a `python.call`."""
    return host.executing_op_hash not in (None, host.current_op_hash)


def name_pending(state: State, host: Host, own: Collection[str]) -> list[str]:
    """Names of the foreign operations that will change a host, in the order of the plan so far."""
    pending = (op_hash for op_hash, each in _foreign(state, host, own) if each.operation_meta.will_change)
    return [" / ".join(sorted(state.get_op_meta(op_hash).names)) for op_hash in pending]


def _foreign(state: State, host: Host, own: Collection[str]) -> Iterator[tuple[str, Any]]:
    known = state.ops[host]
    foreign = known.keys() - own  # empty for most hosts, and asked for each operation
    return ((op_hash, known[op_hash]) for op_hash in known if op_hash in foreign) if foreign else iter(())
