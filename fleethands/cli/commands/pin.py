"""`fleethands pin`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from fleethands.cli.errors import EXIT_FAILED, print_problem
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_hosts, read_settings
from fleethands.errors import FleethandsError, Problem, UsageError
from fleethands.pinning import resolve
from fleethands.pinning.resolve import Difference, PinnableFleet, UnknownPinName
from fleethands.settings import HostSettings, lockfile
from fleethands.settings.expected import InvalidValue
from fleethands.settings.lockfile import Lockfile, LockfileContents
from fleethands.settings.values.names import ModelName

EXIT_MOVED = 2


def run(writer: ReportWriter, only: tuple[str, ...], check: bool) -> int:
    path = lockfile.lockfile_path()
    fleet, lock = _pinnable(writer, only), lockfile.load_lockfile(path)
    answers = resolve.resolve_pins(fleet)
    found = resolve.merge_contents(lock.document, answers.document)
    changes = resolve.compare_contents(lock.document, found)
    result = PinResult(writer, path, changes, answers.unanswered, resolve.find_missing(fleet, lock.document))
    if check:
        return result.report_check()
    if answers.unanswered:
        return result.report_unanswered()
    _settings(writer, Lockfile(found, path))  # raises what the inventory declares otherwise by digest
    if changes or lock.path is None:
        _write(path, found)
    return result.report_written(found)


@dataclass(frozen=True)
class PinResult:
    """
    What the registries answered, compared with the lockfile.

    + unanswered: name → reason; missing: names that the lockfile does not pin
    """

    writer: ReportWriter
    path: Path
    changes: list[Difference]
    unanswered: dict[str, str]
    missing: list[str]

    @property
    def moved(self) -> list[Difference]:
        """Tags that named another version or digest before."""
        return [each for each in self.changes if each.before is not None]

    def report_check(self) -> int:
        """Names that the lockfile lacks come before tags that moved, because such a name may be what moved."""
        failed = [f"{self.path.name} does not pin `{name}`" for name in self.missing]
        failed += [f"{name}: {reason}" for name, reason in self.unanswered.items()]
        moved = [f"{each.name} moved: {each.before} is pinned, {each.after} is current" for each in self.moved]
        result = "failed" if failed else "pending" if moved else "unchanged"
        self._print(result)
        self._print_errors([*failed, *moved], self._pin_hint() if failed or moved else "")
        if result == "unchanged" and not self.writer.as_json:
            click.echo(f"{self.path.name} is up to date with the registries")
        return {"failed": EXIT_FAILED, "pending": EXIT_MOVED}.get(result, 0)

    def report_unanswered(self) -> int:
        """A registry did not answer, so nothing was written."""
        self._print("failed")
        errors = [f"{name}: {reason}" for name, reason in self.unanswered.items()]
        hint = f"{self.path.name} was not changed. A name that the inventory gives with its digest is not asked for"
        self._print_errors(errors, hint)
        return EXIT_FAILED

    def report_written(self, document: LockfileContents) -> int:
        """What the lockfile has now."""
        self._print("changed" if self.changes else "unchanged")
        if self.writer.as_json:
            return 0
        for each in self.changes:
            click.echo(f"{'~' if each.before else '+'} {each.kind} {each.name}")
            click.echo(f"    {f'{each.before} -> ' if each.before else ''}{each.after}")
        count = len(document.ollama) + len(document.models) + len(document.images)
        click.echo(f"{self.path}: {count} pinned, {len(self.changes) - len(self.moved)} new, {len(self.moved)} moved")
        click.echo(f"\nRun: {self.writer.line.for_command('plan')}")
        return 0

    def _pin_hint(self) -> str:
        moved = [] if self.missing else [each.name.partition(" ")[0] for each in self.moved]
        only = "".join(f" --only {name}" for name in dict.fromkeys(moved))
        return f"pin what is current: {self.writer.line.fleet}{only}"

    def _print(self, result: str) -> None:
        if not self.writer.as_json:
            return
        rows = [(each.kind, each.name, each.before, each.after) for each in self.changes]
        changes = [dict(zip(("kind", "name", "from", "to"), row, strict=True)) for row in rows]
        document = {"schema": 1, "command": "pin", "result": result, "lockfile": str(self.path), "changes": changes}
        self.writer.print_json({**document, "missing": self.missing, "unanswered": self.unanswered})

    def _print_errors(self, errors: list[str], hint: str) -> None:
        for line in errors[:-1]:
            print_problem(Problem(line))
        if errors:
            print_problem(Problem(errors[-1], (hint,)))


def _pinnable(writer: ReportWriter, only: tuple[str, ...]) -> PinnableFleet:
    try:
        return PinnableFleet.from_settings(_settings(writer, Lockfile()).values()).only(
            [_listed(name) for name in only]
        )
    except UnknownPinName as error:
        hints = [f"there is: {', '.join(f'`--only {name}`' for name in error.near)}"] if error.near else []
        raise UsageError(str(error), *hints) from None


def _listed(name: str) -> str:
    """A model's name as Ollama lists it, anything else as it is."""
    try:
        return name if "/" in name or name[:1].isdigit() else str(ModelName.parse(name))
    except InvalidValue:
        return name


def _settings(writer: ReportWriter, lock: Lockfile) -> dict[str, HostSettings]:
    engine = open_hosts(writer)
    return read_settings(writer, lambda: engine.settings(lock))


def _write(path: Path, document: LockfileContents) -> None:
    try:
        lockfile.write_lockfile(path, document)
    except OSError as error:
        hint = f"look at its directory: ls -ld {shlex.quote(str(path.parent))}"
        raise FleethandsError(f"cannot write {path}: {error.strerror}", hint) from None
