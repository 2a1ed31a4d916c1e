"""What an operation decides for one host, as values: nothing to do, a change, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT
from fleethands.operations.core.stream import Stream
from fleethands.operations.core.upload import Upload
from fleethands.script import Script

APPLY_HINT = "on this machine: fleethands apply"


@dataclass(frozen=True)
class Unchanged:
    """
    Nothing to do.

    + fact: a sentence that says what is already so
    + notes: what the user should know anyway
    """

    fact: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """
    This host fails, and no other.

    + hints: what to do, each with the exact command
    """

    reason: str
    hints: tuple[str, ...] = ()


class Place(Enum):
    """
    Where a change may be in a sequence, which is several changes in one remote command.

    + WITHIN: its prediction has all that the next decisions read, so that other changes may follow it
    + LAST: it may follow such changes, and the host is read after it
    + ALONE: it is decided from the host as it is, and the host is read after it
    """

    WITHIN = "within"
    LAST = "last"
    ALONE = "alone"


@dataclass(frozen=True)
class Change:
    """
    One change to a host.

    + subject, before, after: what changes, from which state to which
    + script: makes the change
    + predict: the probe as it will be after the change
    + why: the reason, where `before` does not show it
    + consequence: what the host's users notice (a restart, a download and its size, downtime)
    + diff: unified diff of a managed file, secrets masked
    + upload: files that the controller sends before the script runs
    + stream: bytes that the controller sends while the script runs
    + notes: what else the user should know
    + keeps_proof: the last proof still holds after this change
    + writes_record: the script writes a new release record, so the current one becomes the previous one
    + place: whether it travels with other changes
    """

    subject: str
    before: str
    after: str
    script: Script
    predict: Callable[[Probe], Probe] = lambda probe: probe
    why: str = ""
    consequence: str = ""
    diff: str = ""
    upload: Upload | None = None
    stream: Stream | None = None
    notes: tuple[str, ...] = ()
    keeps_proof: bool = False
    writes_record: bool = False
    place: Place = Place.ALONE

    def predict_with_proof(self, probe: Probe) -> Probe:
        """The probe after the change, whose proof is gone unless the change keeps it."""
        return self.predict(probe if self.keeps_proof else probe.with_file(paths.PROOF, ABSENT))


Decision = Unchanged | Refused | Change | list[Change]


def changes_of(decision: Decision) -> list[Change]:
    """The changes of a decision; none for the other two kinds."""
    if isinstance(decision, list):
        return decision
    return [decision] if isinstance(decision, Change) else []
