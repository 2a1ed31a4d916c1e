"""`--report DIR`, `--summary FILE` and `--json`: a run leaves its report there, whatever ends it."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from fleethands.cli.command_line import typed
from fleethands.cli.errors import Trouble
from fleethands.cli.output.json_document import is_told, json_option, tell
from fleethands.cli.output.keep_previous_report import stays

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.formats import ReportFiles
    from fleethands.report.model import Report
    from fleethands.settings.validation.errors import Mistake

KEY = "fleethands.keeper"
AGAIN = "run it again: what was begun on a host is completed then"
UNASKED = "not asked: another host's settings are wrong"


class Keeper:
    """
    Writes one report of a run, at the latest when an exception ends it.

    + command: the report's name

    `retried`: the report that this run takes up; `reports`: the command makes a report, host by host; `as_json`: it is
    a document on stdout, too.
    """

    def __init__(self, command: str) -> None:
        self.command, self.words, self.shard = command, "", ""
        self.directory: Path | None = None
        self.summary: Path | None = None
        self.retried: Path | None = None
        self.engine: Engine | None = None
        self.mistakes: list[Mistake] = []
        self.reports, self.as_json = False, False
        self._kept = False

    @property
    def written(self) -> ReportFiles:
        """Where it goes."""
        from fleethands.report.formats import ReportFiles  # noqa: PLC0415

        return ReportFiles(self.directory, self.summary)

    def ready(self, **places: str | None) -> None:
        """Take over `directory` or `summary`, and try to write there. Raises Trouble, before any host was asked."""
        for name, value in places.items():
            if value is not None:
                setattr(self, name, Path(value))
        if self._asked:
            try:
                self.written.ready()
            except OSError as error:
                raise _unwritable(error) from None

    def keep(self, report: Report, end: BaseException | None = None) -> bool:
        """
        Write a report; False, and a line of error, where that fails.

        + end: the exception that ended the run, if one did
        """
        self._kept = True
        report.shard = report.shard or self.shard
        report.words = typed(report.words or self.words)
        if not self._asked:
            return True
        try:
            self._place(report, end).write(report)
        except OSError as error:
            _unwritable(error).show()
            return False
        return True

    def _place(self, report: Report, end: BaseException | None) -> ReportFiles:
        """Where it goes, unless the report of an earlier run stays there."""
        from fleethands.report.formats import MAIN, ReportFiles  # noqa: PLC0415

        place = self.directory / MAIN if self.directory else None
        if place is None or not stays(place, self.retried, report, self.engine, end):
            return self.written
        click.echo(f"{place} stays as an earlier run left it", err=True)
        return ReportFiles(None, self.summary)

    @property
    def _asked(self) -> bool:
        return self.directory is not None or self.summary is not None

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or isinstance(error, click.exceptions.Exit):
            return
        if isinstance(error, SystemExit) and not error.code:
            return
        keeps, tells = self._asked and not self._kept, self.as_json and not is_told()
        if not keeps and not tells:
            return
        report = self._cut_off(error)
        self.keep(report, error)
        if tells:
            tell(report.document())

    def _cut_off(self, error: BaseException) -> Report:
        from fleethands.report.model import Report  # noqa: PLC0415

        report = Report(self.command, {})
        with suppress(Exception):  # what ended the run may stand in the way of its report, too
            report = self._so_far() or report
        report.words = self.words
        if isinstance(error, KeyboardInterrupt | click.Abort):
            report.interrupted, report.error, report.hints = True, "interrupted", [AGAIN]
        elif isinstance(error, click.ClickException):
            report.error, report.hints = error.message, list(getattr(error, "hints", ()))
        else:
            report.error = f"{type(error).__name__}: {error}"
        if self.engine is not None:
            report.mask_all(self.engine.mask)
        return report

    def _so_far(self) -> Report | None:
        if self.engine is None:
            return None
        if self.mistakes:
            return _mistaken(self.command, self.engine.names, self.mistakes)
        if not self.reports:
            return None
        from fleethands.rollout.build_interrupted_report import interrupted_run_report  # noqa: PLC0415

        return interrupted_run_report(self.engine, self.command)


def _mistaken(command: str, names: list[str], mistakes: list[Mistake]) -> Report:
    from fleethands.report.model import HostReport, Report  # noqa: PLC0415

    hosts = {}
    for name in names:
        wrong = [f"`{each.path}`: {each.problem}" for each in mistakes if each.host == name]
        hosts[name] = HostReport("refused", "; ".join(wrong)) if wrong else HostReport("not-run", UNASKED)
    return Report(command, hosts)


def keep(report: Report) -> bool:
    """Leave a report where the command line asks for one; False where it can't be written, which is said."""
    keeper = current()
    return keeper is None or keeper.keep(report)


def note_engine(engine: Engine, words: str, shard: str) -> None:
    """Remember whose report it would be if something ended the run."""
    if keeper := current():
        keeper.engine, keeper.words, keeper.shard = engine, words, shard


def note_retried(path: str) -> None:
    """Remember which report this run takes up."""
    if keeper := current():
        keeper.retried = Path(path)


def note_mistakes(mistakes: list[Mistake]) -> None:
    """Remember what is wrong with the settings of which host."""
    if keeper := current():
        keeper.mistakes = mistakes


def leave_empty(why: str, words: str, shard: str) -> NoReturn:
    """Say that there is nothing to do, in this part of a fleet or at all, leave the report of it, and exit 0."""
    from fleethands.report.model import Report  # noqa: PLC0415

    context = click.get_current_context()
    report = Report(str(context.info_name), {}, words=words, shard=shard)
    kept = keep(report)
    if context.params.get("as_json"):
        tell(report.document())
    click.echo(f"{why}: nothing to do", err=bool(context.params.get("as_json")))
    sys.exit(0 if kept else 1)


def current() -> Keeper | None:
    """The keeper of this command, if it leaves a report or a document."""
    context = click.get_current_context(silent=True)
    found: Keeper | None = context.meta.get(KEY) if context else None
    return found


def _keeper(context: click.Context) -> Keeper:
    if KEY not in context.meta:
        command = context.command_path.partition(" ")[2]
        context.meta[KEY] = context.with_resource(Keeper(command or str(context.info_name)))
    found: Keeper = context.meta[KEY]
    return found


def _directory(context: click.Context, _: click.Parameter, value: str | None) -> None:
    _ready(context, directory=value)


def _summary(context: click.Context, _: click.Parameter, value: str | None) -> None:
    _ready(context, summary=value)


def _ready(context: click.Context, **places: str | None) -> None:
    if not context.resilient_parsing:
        _keeper(context).reports = True
        _keeper(context).ready(**places)


def _document(context: click.Context) -> None:
    _keeper(context).as_json = True


JSON = json_option(_document)


def _unwritable(error: OSError) -> Trouble:
    place = error.filename or "the report"
    return Trouble(f"cannot write `{place}`: {error.strerror or error}", "name another place, or make room there")


_OPTIONS = (
    click.option(
        "--report",
        metavar="DIR",
        expose_value=False,
        callback=_directory,
        help="Leave report.json, junit.xml and report.html there, whatever happens.",
    ),
    click.option(
        "--summary",
        metavar="FILE",
        expose_value=False,
        callback=_summary,
        help="Add the report to this file as Markdown, as a CI shows it.",
    ),
)


def report_options(command: Any) -> Any:
    """What every command takes that makes a report."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
