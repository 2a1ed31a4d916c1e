"""Attacks on a fleet as data: who tries what, and what must be true afterwards. tests/lab/test_attacks.py runs them."""

from tests.lab.attacks import answers, build, gateway, network, owned, page, places, records, registries, streams
from tests.lab.attacks.attack import Attack, Field, Position

__all__ = ["ATTACKS", "Attack", "Field", "Position"]

# one module for each place that is attacked; each has a table ATTACKS of its own
ATTACKS: tuple[Attack, ...] = (
    *answers.ATTACKS,
    *build.ATTACKS,
    *gateway.ATTACKS,
    *network.ATTACKS,
    *owned.ATTACKS,
    *page.ATTACKS,
    *places.ATTACKS,
    *records.ATTACKS,
    *registries.ATTACKS,
    *streams.ATTACKS,
)
