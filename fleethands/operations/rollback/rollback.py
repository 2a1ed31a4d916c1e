"""Finds the release record that a rollback restores. The host wrote the record, so it is untrusted data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import IMAGE_ID
from fleethands.facts.record import Record
from fleethands.operations.core import release_record as records
from fleethands.operations.core.decision import APPLY_HINT, Decision, Refused, Unchanged
from fleethands.operations.core.operation import operation
from fleethands.operations.core.proof_record import all_hold, read_links
from fleethands.settings import HostSettings, SettingsError, read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.serialize import UndeclaredPlaces, from_json
from fleethands.settings.values.images import at_digest, is_image
from fleethands.untrusted import printable

MAX_NAMED = 3  # mistakes of a record in one refusal
CURRENT, PREVIOUS = "current", "previous"
RECORD_FILES = {CURRENT: paths.CURRENT_RECORD, PREVIOUS: paths.PREVIOUS_RECORD}


@dataclass(frozen=True)
class RollbackTarget:
    """
    What a rollback of a host restores.

    + settings: those of the record; those of the inventory if there is no record to restore
    + declared: the settings of the inventory today
    + record: None without a record
    + problem: why there is no record to restore
    + place: the file of the record
    """

    settings: HostSettings
    declared: HostSettings
    record: Record | None = None
    problem: Refused | None = None
    place: str = ""

    @property
    def image(self) -> str:
        """The id of the image of OpenHands' container; empty without one."""
        return self._image("image")

    @property
    def ollama_image(self) -> str:
        """The id of the image of Ollama's container; empty without one."""
        return self._image("ollama_image") if self.settings.ollama_declared_image else ""

    def _image(self, kind: str) -> str:
        found = self.record.versions.get(kind, {}).get("id", "") if self.record and not self.problem else ""
        return found if IMAGE_ID.fullmatch(found) else ""

    @property
    def settings_to_apply(self) -> HostSettings:
        """
        The settings of the rollback: no model is removed, and present images are not pulled again.

        The inventory decides what the controller downloads for a host, because an address of the record could name a
        file of the controller.
        """
        changed = {"models_prune": False, "openhands_pull": "missing"}
        if self.settings.ollama_transfer == "controller":
            changed |= {key: getattr(self.declared, key) for key in ("ollama_transfer", "ollama_url")}
        return self.settings.model_copy(update=changed)


def find_target(declared: HostSettings, probe: Probe, wanted: str | None = None) -> RollbackTarget:
    """
    The record to restore, and its settings.

    + wanted: `current`, what was proven last; `previous`, what was proven before that; None: `previous` if the host
      is proven now, else `current`
    """
    which = wanted or (PREVIOUS if all_hold(read_links(probe)) else CURRENT)
    if which not in RECORD_FILES:
        wrong = f"`fleethands_rollback_to`: expected `{CURRENT}` or `{PREVIOUS}`, got `{which}`"
        return RollbackTarget(declared, declared, problem=Refused(wrong))
    place = RECORD_FILES[which]
    record = Record.parse(probe.files[place].content)
    if record is None:
        return RollbackTarget(declared, declared, problem=_refuse_missing(probe, place, which))
    try:
        data = from_json(record.declared, declared)
        settings = read_fleet({"its record": data}, Lockfile())["its record"]
    except UndeclaredPlaces as error:
        return RollbackTarget(declared, declared, record, _refuse_undeclared(record, error), place)
    except (SettingsError, ValueError) as error:
        return RollbackTarget(declared, declared, record, _refuse_unreadable(record, error), place)
    return RollbackTarget(settings, declared, record, place=place)


def refuse_unknown(error: ValueError) -> Refused:
    """Refuse a host whose records cannot be read."""
    return Refused(str(error), tuple(getattr(error, "hints", ())) or ("fix the cause, then run it again",))


def _refuse_missing(probe: Probe, place: str, which: str) -> Refused:
    if probe.files[place].kind != "absent":
        return Refused(f"its record {place} can't be read", ("declare what is to be there, then: fleethands apply",))
    has_current = which == PREVIOUS and records.current_record(probe)
    other = ("restore the current record instead: add `--to current`",) if has_current else ()
    return Refused(f"the host has no {which} release record", (*other, "declare another release, then apply"))


def _refuse_undeclared(record: Record, error: UndeclaredPlaces) -> Refused:
    keys = ", ".join(f"`{printable(key, 80)}`" for key, _ in error.places[:MAX_NAMED])
    named = [f"{printable(said, 200)} for `{printable(key, 80)}`" for key, said in error.places]
    return Refused(
        f"the record of {record} names {_join(named)}, which the inventory does not declare for this host: "
        "nothing of it was read",
        (
            "apply what the inventory declares",
            APPLY_HINT,
            f"or, only if you declared it so yourself: declare {keys} like that again, then roll back",
        ),
    )


def _refuse_unreadable(record: Record, error: Exception) -> Refused:
    said = [printable(line.removeprefix("error: its record: "), 300) for line in str(error).splitlines()]
    return Refused(
        f"the record of {record} can't be applied from here: {_join(said)}",
        (
            "make that secret readable on this machine, or roll back from the machine that applied it",
            "or apply what the inventory declares",
            APPLY_HINT,
        ),
    )


def _join(said: list[str]) -> str:
    more = f"; and {len(said) - MAX_NAMED} more" if len(said) > MAX_NAMED else ""
    return "; ".join(said[:MAX_NAMED]) + more


@operation
def check_target(settings: HostSettings, probe: Probe, back: RollbackTarget) -> Decision:
    """
    Refuse a rollback without a record, or if the record changed since the plan.

    + back: what the plan found
    """
    if back.problem is not None:
        return back.problem
    record = Record.parse(probe.files[back.place].content)
    if record is None or record != back.record:
        return Refused("its records changed since the plan: another run changed this host", ("run it again",))
    for kind, image in (("image", back.image), ("ollama_image", back.ollama_image)):
        if probe.knows("docker") and image in probe.docker.gone:
            return Refused(f"the image from that release was removed from the host: {image}", _pull_hints(record, kind))
    note = f"restores the state that was proven on {record}"
    return Unchanged(f"the record of {record} is there", (note, *_replaced_models(probe, record)))


def _pull_hints(record: Record, kind: str) -> tuple[str, ...]:
    """Hints to pull the image of the record again, if its origin is known."""
    image = record.versions[kind]
    name = image.get("name", "")
    digest = image.get("digest") or name.partition("@")[2]
    if is_image(name) and is_image(whole := at_digest(name, digest)):
        return (f"on the host: docker pull {whole}", "then run it again")
    return ("apply the inventory instead", APPLY_HINT)


def _replaced_models(probe: Probe, record: Record) -> Iterator[str]:
    """Models of the record whose name is another model now."""
    known = probe.models if probe.knows("models") else {}
    for name, digest in record.versions["models"].items():
        if digest and known.get(name) not in (None, digest):
            yield f"{name} is another model now: its tag moved, and Ollama keeps one model for each name"
