"""Batches that leave each gateway a host to send requests to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from fleethands.rollout.strategy import Batch


def keep_serving(batches: Sequence[Batch], gateways: Mapping[str, Collection[str]]) -> list[Batch]:
    """
    The same hosts, in batches of which none has all the hosts behind a gateway. A canary stays as it is.

    + gateways: host with a gateway → the hosts behind it. It comes after them, because its proof needs one that answers

    Example: a batch of `a`, `b` and their gateway `front` becomes one of `a`, one of `b` and one of `front`.
    """
    canary = [each for each in batches if each.canary]
    parts = [each.names for each in batches if not each.canary]
    late = _late([name for part in parts for name in part], gateways)
    parts = [tuple(name for name in part if name not in late) for part in parts]
    split = [half for part in (*parts, tuple(sorted(late))) if part for half in _split(part, gateways)]
    if split == [each.names for each in batches if not each.canary]:
        return [*batches]
    return canary + [Batch(f"batch {number} of {len(split)}", part) for number, part in enumerate(split, 1)]


def _late(names: Collection[str], gateways: Mapping[str, Collection[str]]) -> set[str]:
    """The gateways whose hosts are updated, too; none if all hosts are."""
    late = {each for each, behind in gateways.items() if each in names and set(names) & (set(behind) - {each})}
    return late if late < set(names) else set()


def _split(names: tuple[str, ...], gateways: Mapping[str, Collection[str]]) -> Iterator[tuple[str, ...]]:
    for behind in gateways.values():
        if len(behind) > 1 and set(behind) <= set(names):
            inside = [name for name in names if name in behind]
            second = set(inside[(len(inside) + 1) // 2 :])
            yield from _split(tuple(name for name in names if name not in second), gateways)
            yield from _split(tuple(name for name in names if name in second), gateways)
            return
    yield names
