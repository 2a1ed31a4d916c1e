"""Restore a release record of each host. A host without one is refused before anything on it changes."""

from pyinfra.api import deploy

from fleethands import facts
from fleethands.operations.rollback import rollback
from fleethands.operations.rollback.rollback import RollbackTarget
from fleethands.settings import HostSettings


def find_target(declared: HostSettings, wanted: str | None) -> RollbackTarget:
    """The record to restore. If there is none, this host is refused, and no other."""
    try:
        return rollback.find_target(declared, facts.get_probe(declared), wanted)
    except (facts.ProbeError, facts.UnknownSection) as error:
        return RollbackTarget(declared, declared, problem=rollback.refuse_unknown(error))


@deploy("Rollback")
def check(back: RollbackTarget) -> None:
    rollback.check_target(name="Choose the release record", settings=back.settings_to_apply, back=back)
