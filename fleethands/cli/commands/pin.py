"""`fleethands pin`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.json_document import tell
from fleethands.cli.session import chosen, fleet_options, settled, spoken, unconnected

if TYPE_CHECKING:
    from fleethands.pinning.resolve import Difference, PinnableFleet
    from fleethands.settings import HostSettings
    from fleethands.settings.lockfile import Lockfile, LockfileContents

MOVED = 2


@click.command()
@fleet_options
@click.option("--only", multiple=True, metavar="NAME", help="Only this version, model or image.")
@click.option("--check", is_flag=True, help="Write nothing. Exit 1: it does not cover the fleet, 2: a tag moved.")
def pin(target: str | None, as_json: bool, only: tuple[str, ...], check: bool, **options: Any) -> None:
    """Write what versions, models' names and images' tags stand for now into fleethands.lock. No host is contacted."""
    from fleethands.pinning import resolve  # noqa: PLC0415
    from fleethands.settings import lockfile  # noqa: PLC0415

    target = chosen(target)
    words = spoken(target, **options)
    path = lockfile.lockfile_path()
    fleet, lock = _wanted(target, only, **options), _read(path)
    answers = resolve.resolve_pins(fleet)
    found = resolve.merge_contents(lock.document, answers.document)
    changes = resolve.compare_contents(lock.document, found)
    outcome = _Outcome(path, changes, answers.unanswered, resolve.find_missing(fleet, lock.document))
    if check:
        outcome.checked(as_json, words)
    elif answers.unanswered:
        outcome.refused(as_json)
    else:
        _agrees(target, found, **options)
        if changes or lock.path is None:
            _write(path, found)
        outcome.written(as_json, words, found)


class _Outcome:
    """What came of it, and the ways to say so."""

    def __init__(self, path: Path, changes: list[Difference], unanswered: dict[str, str], missing: list[str]) -> None:
        self.path, self.changes, self.unanswered, self.missing = path, changes, unanswered, missing
        self.moved = [each for each in changes if each.before is not None]

    def checked(self, as_json: bool, words: str) -> NoReturn:
        """Compared, nothing written. What the lock lacks comes before what moved, as it may be what moved."""
        trouble = [f"{self.path.name} does not pin `{name}`" for name in self.missing]
        trouble += [f"{name}: {reason}" for name, reason in self.unanswered.items()]
        moved = [f"{each.name} moved: pinned is {each.before}, now it is {each.after}" for each in self.moved]
        result = "failed" if trouble else "pending" if moved else "unchanged"
        self._show(as_json, result, [f"error: {line}" for line in [*trouble, *moved]])
        if trouble or moved:
            names = "" if self.missing else "".join(f" --only {name}" for name in dict.fromkeys(map(_name, self.moved)))
            click.echo(f"\nhint: pin what is there now: fleethands pin {words}{names}", err=True)
        elif not as_json:
            click.echo(f"{self.path.name}: as its registries have it")
        sys.exit({"failed": 1, "pending": MOVED}.get(result, 0))

    def refused(self, as_json: bool) -> NoReturn:
        """Somebody did not answer, so nothing was written."""
        self._show(as_json, "failed", [f"error: {name}: {reason}" for name, reason in self.unanswered.items()])
        click.echo(f"\nhint: {self.path.name} is as it was; what is declared by digest is not asked for", err=True)
        sys.exit(1)

    def written(self, as_json: bool, words: str, document: LockfileContents) -> None:
        """What is another now, and where it stands."""
        self._show(as_json, "changed" if self.changes else "unchanged", [])
        if as_json:
            return
        for each in self.changes:
            click.echo(f"{'~' if each.before else '+'} {each.kind} {each.name}")
            click.echo(f"    {f'{each.before} -> ' if each.before else ''}{each.after}")
        count = len(document.ollama) + len(document.models) + len(document.images)
        click.echo(f"{self.path}: {count} pinned, {len(self.changes) - len(self.moved)} new, {len(self.moved)} moved")
        click.echo(f"\nRun: fleethands plan {words}")

    def _show(self, as_json: bool, result: str, errors: list[str]) -> None:
        if as_json:
            changes = [
                {"kind": each.kind, "name": each.name, "from": each.before, "to": each.after} for each in self.changes
            ]
            document = {"schema": 1, "command": "pin", "result": result, "lockfile": str(self.path), "changes": changes}
            tell({**document, "missing": self.missing, "unanswered": self.unanswered})
        for line in errors:
            click.echo(line, err=True)


def _name(each: Difference) -> str:
    return each.name.partition(" ")[0]


def _wanted(target: str, only: tuple[str, ...], **options: Any) -> PinnableFleet:
    from fleethands.pinning.resolve import PinnableFleet, UnknownPinName  # noqa: PLC0415
    from fleethands.settings.lockfile import Lockfile  # noqa: PLC0415

    try:
        return PinnableFleet.from_settings(_settings(target, Lockfile(), **options).values()).only(
            [_listed(name) for name in only]
        )
    except UnknownPinName as error:
        raise Trouble(str(error), f"there is: {', '.join(error.near) or 'nothing to pin'}", code=USAGE) from None


def _listed(name: str) -> str:
    """A model's name as Ollama lists it, anything else as it is."""
    from fleethands.settings.expected import InvalidValue  # noqa: PLC0415
    from fleethands.settings.values.names import ModelName  # noqa: PLC0415

    try:
        return name if "/" in name or name[:1].isdigit() else str(ModelName.parse(name))
    except InvalidValue:
        return name


def _settings(target: str, lock: Lockfile, **options: Any) -> dict[str, HostSettings]:
    engine = unconnected(target, **options)
    return settled(lambda: engine.settings(lock))


def _agrees(target: str, document: LockfileContents, **options: Any) -> None:
    """What the inventory declares by digest is what was found. Raises Trouble."""
    from fleethands.settings.lockfile import Lockfile, lockfile_path  # noqa: PLC0415

    _settings(target, Lockfile(document, lockfile_path()), **options)


def _read(path: Path) -> Lockfile:
    from fleethands.settings import lockfile  # noqa: PLC0415

    return settled(lambda: lockfile.load_lockfile(path))


def _write(path: Path, document: LockfileContents) -> None:
    from fleethands.settings import lockfile  # noqa: PLC0415

    try:
        lockfile.write_lockfile(path, document)
    except OSError as error:
        hint = f"look at its directory: ls -ld {shlex.quote(str(path.parent))}"
        raise Trouble(f"cannot write {path}: {error.strerror}", hint) from None
