"""The way back to a release record: which one, and by which settings. The record is its host's word, and so data."""

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
from fleethands.untrusted import words

NAMED = 3  # mistakes of a record that one refusal names
CURRENT, PREVIOUS = "current", "previous"
RECORD_FILES = {CURRENT: paths.RECORD, PREVIOUS: paths.RECORD_BEFORE}


@dataclass(frozen=True)
class RollbackTarget:
    """
    Where a host goes back to.

    + settings: those of the record; the declared ones where there is none to go back to
    + declared: what the inventory declares today
    + record: None where there is none
    + problem: why not, then
    + place: the file that it stands in
    """

    settings: HostSettings
    declared: HostSettings
    record: Record | None = None
    problem: Refused | None = None
    place: str = ""

    @property
    def image(self) -> str:
        """The id of the image that OpenHands' container was made from; empty where there was none."""
        return self._image("image")

    @property
    def ollama_image(self) -> str:
        """The same of the image that Ollama's container was made from."""
        return self._image("ollama_image") if self.settings.ollama_declared_image else ""

    def _image(self, kind: str) -> str:
        found = self.record.versions.get(kind, {}).get("id", "") if self.record and not self.problem else ""
        return found if IMAGE_ID.fullmatch(found) else ""

    @property
    def settings_to_apply(self) -> HostSettings:
        """
        The settings by which a host goes back: nothing is removed, and nothing is asked for that is there.

        What the controller fetches for a host, and from where, is the inventory's to say: an address of a record may
        be a file of the controller's.
        """
        gentle = {"models_prune": False, "openhands_pull": "missing"}
        if self.settings.ollama_transfer == "controller":
            gentle |= {key: getattr(self.declared, key) for key in ("ollama_transfer", "ollama_url")}
        return self.settings.model_copy(update=gentle)


def find_target(declared: HostSettings, probe: Probe, wanted: str | None = None) -> RollbackTarget:
    """
    The record to go back to, and its settings.

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
        return RollbackTarget(declared, declared, problem=_nothing(probe, place, which))
    try:
        data = from_json(record.declared, declared)
        settings = read_fleet({"its record": data}, Lockfile())["its record"]
    except UndeclaredPlaces as error:
        return RollbackTarget(declared, declared, record, _undeclared(record, error), place)
    except (SettingsError, ValueError) as error:
        return RollbackTarget(declared, declared, record, _unreadable(record, error), place)
    return RollbackTarget(settings, declared, record, place=place)


def refuse_unknown(error: ValueError) -> Refused:
    """Why a host's records are not known."""
    return Refused(str(error), tuple(getattr(error, "hints", ())) or ("when the cause is gone, run it again",))


def _nothing(probe: Probe, place: str, which: str) -> Refused:
    if probe.files[place].kind != "absent":
        return Refused(f"its record {place} can't be read", ("declare what is to be there, then: fleethands apply",))
    has_current = which == PREVIOUS and records.current_record(probe)
    other = ("restore the current record instead: add `--to current`",) if has_current else ()
    return Refused(f"the host has no {which} release record", (*other, "declare another release, then apply"))


def _undeclared(record: Record, error: UndeclaredPlaces) -> Refused:
    keys = ", ".join(f"`{words(key, 80)}`" for key, _ in error.places[:NAMED])
    named = [f"{words(said, 200)} for `{words(key, 80)}`" for key, said in error.places]
    return Refused(
        f"the record of {record} names {_few(named)}, which the inventory does not declare for this host: "
        "nothing of it was read",
        (
            "apply what the inventory declares",
            APPLY_HINT,
            f"or, only if you declared it so yourself: declare {keys} like that again, then roll back",
        ),
    )


def _unreadable(record: Record, error: Exception) -> Refused:
    said = [words(line.removeprefix("error: its record: "), 300) for line in str(error).splitlines()]
    return Refused(
        f"the record of {record} can't be applied from here: {_few(said)}",
        (
            "make that secret readable on this machine, or go back from the machine that applied it",
            "or apply what the inventory declares",
            APPLY_HINT,
        ),
    )


def _few(said: list[str]) -> str:
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return "; ".join(said[:NAMED]) + more


@operation
def check_target(settings: HostSettings, probe: Probe, back: RollbackTarget) -> Decision:
    """
    Have a record to go back to, the same when it is gone back to as when it was planned.

    + back: what was found
    """
    if back.problem is not None:
        return back.problem
    record = Record.parse(probe.files[back.place].content)
    if record is None or record != back.record:
        return Refused("its records changed since this was planned: another run was here", ("run it again",))
    for kind, image in (("image", back.image), ("ollama_image", back.ollama_image)):
        if probe.knows("docker") and image in probe.docker.gone:
            return Refused(f"the image of then is not on the host any more: {image}", _again(record, kind))
    return Unchanged(
        f"the record of {record} is there", (f"goes back to what was proven on {record}", *_lost(probe, record))
    )


def _again(record: Record, kind: str) -> tuple[str, ...]:
    """How the image of then is had again, if it is known where it came from."""
    image = record.versions[kind]
    name = image.get("name", "")
    digest = image.get("digest") or name.partition("@")[2]
    if is_image(name) and is_image(whole := at_digest(name, digest)):
        return (f"on the host: docker pull {whole}", "then run it again")
    return ("apply what is declared instead", APPLY_HINT)


def _lost(probe: Probe, record: Record) -> Iterator[str]:
    """What of then is not on the host any more, though its name is."""
    known = probe.models if probe.knows("models") else {}
    for name, digest in record.versions["models"].items():
        if digest and known.get(name) not in (None, digest):
            yield f"{name} is another than then: its tag moved, and Ollama keeps one of each name"
