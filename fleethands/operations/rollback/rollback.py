"""The way back to a release record: which one, and by which settings. The record is its host's word, and so data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import IMAGE_ID
from fleethands.facts.record import Record
from fleethands.operations.core import release_record as records
from fleethands.operations.core.operation import Decision, Refused, Same, operation
from fleethands.operations.proof.proof import APPLY, links
from fleethands.settings import HostSettings, SettingsError, read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.serialize import Undeclared, host_data
from fleethands.settings.values.images import at_digest, is_image
from fleethands.untrusted import words

NAMED = 3  # mistakes of a record that one refusal names
LAST, BEFORE = "last", "before"
PLACES = {LAST: paths.RECORD, BEFORE: paths.RECORD_BEFORE}


@dataclass(frozen=True)
class Back:
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
    def gentle(self) -> HostSettings:
        """
        The settings by which a host goes back: nothing is removed, and nothing is asked for that is there.

        What the controller fetches for a host, and from where, is the inventory's to say: an address of a record may
        be a file of the controller's.
        """
        gentle = {"models_prune": False, "openhands_pull": "missing"}
        if self.settings.ollama_transfer == "controller":
            gentle |= {key: getattr(self.declared, key) for key in ("ollama_transfer", "ollama_url")}
        return self.settings.model_copy(update=gentle)


def find(declared: HostSettings, probe: Probe, wanted: str | None = None) -> Back:
    """
    The record to go back to, and its settings.

    + wanted: `last`, what was proven last; `before`, what was proven before that; None: `last` where what is there now
      is not proven, else `before`
    """
    known = links(probe.files[paths.PROOF].content)
    held = bool(known) and all(link.ok for link in known)
    which = wanted or (BEFORE if held else LAST)
    if which not in PLACES:
        return Back(
            declared, declared, problem=Refused(f"`fleethands_back`: expected `{LAST}` or `{BEFORE}`, got `{which}`")
        )
    place = PLACES[which]
    record = Record.parse(probe.files[place].content)
    if record is None:
        return Back(declared, declared, problem=_nothing(probe, place, which))
    try:
        data = host_data(record.declared, declared)
        settings = read_fleet({"its record": data}, Lockfile())["its record"]
    except Undeclared as error:
        return Back(declared, declared, record, _undeclared(record, error), place)
    except (SettingsError, ValueError) as error:
        return Back(declared, declared, record, _unreadable(record, error), place)
    return Back(settings, declared, record, place=place)


def unknown(error: ValueError) -> Refused:
    """Why a host's records are not known."""
    return Refused(str(error), tuple(getattr(error, "hints", ())) or ("when the cause is gone, run it again",))


def _nothing(probe: Probe, place: str, which: str) -> Refused:
    if probe.files[place].kind != "absent":
        return Refused(f"its record {place} can't be read", ("declare what is to be there, then: fleethands apply",))
    what = {LAST: "nothing was proven here yet", BEFORE: "nothing was proven here before what was proven last"}[which]
    other = ("add `--to last`: what was proven last is there",) if which == BEFORE and records.of(probe) else ()
    return Refused(f"there is no record to go back to: {what}", (*other, "declare another release, then apply"))


def _undeclared(record: Record, error: Undeclared) -> Refused:
    keys = ", ".join(f"`{words(key, 80)}`" for key, _ in error.places[:NAMED])
    named = [f"{words(said, 200)} for `{words(key, 80)}`" for key, said in error.places]
    return Refused(
        f"the record of {record} names {_few(named)}, which the inventory does not declare for this host: "
        "nothing of it was read",
        (
            "apply what the inventory declares",
            APPLY,
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
            APPLY,
        ),
    )


def _few(said: list[str]) -> str:
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return "; ".join(said[:NAMED]) + more


@operation
def chosen(settings: HostSettings, probe: Probe, back: Back) -> Decision:
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
    return Same(
        f"the record of {record} is there", (f"goes back to what was proven on {record}", *_lost(probe, record))
    )


def _again(record: Record, kind: str) -> tuple[str, ...]:
    """How the image of then is had again, if it is known where it came from."""
    image = record.versions[kind]
    name = image.get("name", "")
    digest = image.get("digest") or name.partition("@")[2]
    if is_image(name) and is_image(whole := at_digest(name, digest)):
        return (f"on the host: docker pull {whole}", "then run it again")
    return ("apply what is declared instead", APPLY)


def _lost(probe: Probe, record: Record) -> Iterator[str]:
    """What of then is not on the host any more, though its name is."""
    known = probe.models if probe.knows("models") else {}
    for name, digest in record.versions["models"].items():
        if digest and known.get(name) not in (None, digest):
            yield f"{name} is another than then: its tag moved, and Ollama keeps one of each name"
