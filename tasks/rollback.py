"""A host goes back to a release record of its own; without one, it is refused before anything on it changes."""

from pyinfra.api import deploy

from fleethands import facts
from fleethands.operations.rollback import rollback
from fleethands.operations.rollback.rollback import RollbackTarget
from fleethands.settings import HostSettings


def find_target(declared: HostSettings, wanted: str | None) -> RollbackTarget:
    """The record to go back to, by what the host keeps. Whatever stands in its way, this host alone is refused."""
    try:
        return rollback.find_target(declared, facts.get_probe(declared), wanted)
    except (facts.ProbeError, facts.UnknownSection) as error:
        return RollbackTarget(declared, declared, problem=rollback.refuse_unknown(error))


@deploy("Rollback")
def check(way: RollbackTarget) -> None:
    rollback.check_target(name="Choose the release record", settings=way.settings_to_apply, back=way)
