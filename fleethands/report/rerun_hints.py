"""Command lines for the next step, made from the one that was typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from glob import escape
from itertools import pairwise

WHICH = ("--hosts", "--exclude", "--shard")
REACHING = ("ssh_", "_")  # data by which pyinfra reaches a host, and becomes root there


def only(words: str, name: str) -> str:
    """
    The same for one host.

    + words: target and options, as a command line has them
    """
    target, *options = shlex.split(words)
    return shlex.join([target, *_without(WHICH, options), "--hosts", escape(name)])


def reached(words: str, name: str) -> str:
    """Target and options that name one host, and say how it is reached; nothing of what is declared there."""
    target, *options = shlex.split(words)
    pairs = [pair for mark, pair in pairwise(options) if mark == "--data"]
    data = [word for pair in pairs if pair.startswith(REACHING) for word in ("--data", pair)]
    return only(shlex.join([target, *data]), name)


def completing(command: str, words: str, name: str) -> list[str]:
    """
    Hints: what completes what was begun on a host.

    + command: empty for one that changes none; words: target and options, as they were typed

    A rollback names the host, as those that are back already would go back once more; and the record, as the way
    without one is another from halfway.
    """
    if not command:
        return []
    if command != "rollback":
        return [f"the next run completes it: `fleethands {command} {words}`"]
    here = f"fleethands rollback {only(words, name)}"
    if "--to" in shlex.split(words):
        return [f"the next run completes it: `{here}`"]
    return [f"to restore the {record} record: `{here} --to {record}`" for record in ("current", "previous")]


def _without(dropped: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Options without these, which have a value each."""
    left = iter(options)
    for word in left:
        if word in dropped:
            next(left, None)
        else:
            yield word
