"""A host goes back to a release record of its own; without one, it is refused before anything on it changes."""

from pyinfra.api import deploy

from fleethands import facts
from fleethands.operations.rollback import rollback
from fleethands.operations.rollback.rollback import Back
from fleethands.settings import HostSettings


def found(declared: HostSettings, wanted: str | None) -> Back:
    """The record to go back to, by what the host keeps. Whatever stands in its way, this host alone is refused."""
    try:
        return rollback.find(declared, facts.get_probe(declared), wanted)
    except (facts.ProbeError, facts.UnknownSection) as error:
        return Back(declared, declared, problem=rollback.unknown(error))


@deploy("Rollback")
def begin(way: Back) -> None:
    rollback.chosen(name="Choose the release record", settings=way.gentle, back=way)
