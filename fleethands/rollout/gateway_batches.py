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
    names = [name for part in parts for name in part]
    late = _late(names, gateways)
    size = max(map(len, parts), default=1)
    last = [name for name in names if name in late]
    parts = [tuple(name for name in part if name not in late) for part in parts]
    parts += [tuple(last[at : at + size]) for at in range(0, len(last), size)]
    together = [*gateways.values(), *_twins(gateways)]
    split = [half for part in parts if part for half in _split(part, together)]
    if split == [each.names for each in batches if not each.canary]:
        return [*batches]
    return canary + [Batch(f"batch {number} of {len(split)}", part) for number, part in enumerate(split, 1)]


def _twins(gateways: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Gateways with the same hosts behind them: clients use one while another changes."""
    sets = {frozenset(behind) for behind in gateways.values()}
    return [[name for name, behind in gateways.items() if set(behind) == each] for each in sets]


def _late(names: Collection[str], gateways: Mapping[str, Collection[str]]) -> set[str]:
    """The gateways whose hosts are updated, too; none if all hosts are."""
    late = {each for each, behind in gateways.items() if each in names and set(names) & (set(behind) - {each})}
    return late if late < set(names) else set()


def _split(names: tuple[str, ...], together: Sequence[Collection[str]]) -> Iterator[tuple[str, ...]]:
    """Parts of which none has all hosts of a group, unless that is one host."""
    for behind in together:
        if len(behind) > 1 and set(behind) <= set(names):
            inside = [name for name in names if name in behind]
            second = set(inside[(len(inside) + 1) // 2 :])
            yield from _split(tuple(name for name in names if name not in second), together)
            yield from _split(tuple(name for name in names if name in second), together)
            return
    yield names
