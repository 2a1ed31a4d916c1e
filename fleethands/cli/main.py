"""`fleethands COMMAND [TARGET]`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleethands import __version__

if TYPE_CHECKING:
    from fleethands.rollout.engine import Engine
    from fleethands.rollout.report import Report

USAGE = 64
EXIT = {"unchanged": 0, "changed": 0, "pending": 2, "failed": 1}


class Trouble(click.ClickException):
    """One line of error, and hints below it."""

    def __init__(self, message: str, *hints: str, code: int = 1) -> None:
        super().__init__(message)
        self.hints, self.code = hints, code

    def show(self, file: Any = None) -> None:
        click.echo(f"error: {self.message}", err=True)
        for hint in self.hints:
            click.echo(f"\nhint: {hint}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Puts Ollama and OpenHands on hosts over SSH, and proves that a prompt gets an answer."""


def fleet_options(command: Any) -> Any:
    """What every command takes that reads a fleet."""
    for option in (
        click.argument("target", required=False),
        click.option("--hosts", default="*", metavar="PATTERN", help="Only hosts whose name matches."),
        click.option("--exclude", default="", metavar="PATTERN", help="No host whose name matches."),
        click.option("--data", multiple=True, metavar="KEY=VALUE", help="A setting, for all hosts."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
    ):
        command = option(command)
    return command


@cli.command()
@fleet_options
def plan(target: str | None, as_json: bool, **options: Any) -> None:
    """Say what would change and why. Changes nothing; exit 0: nothing to do, 2: changes pending, 1: cannot say."""
    engine = _connected(target, **options)
    report = _plan(engine)
    engine.close()
    _finish(report, as_json, _target(target))


@cli.command()
@fleet_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(target: str | None, as_json: bool, yes: bool, **options: Any) -> None:
    """Plan, then do it, through to the proof. Exit 0: done, changed or not; 1: a host failed."""
    if not yes and not sys.stdin.isatty():
        raise Trouble("nobody is there to confirm", "to change hosts from a script: add `--yes`", code=USAGE)
    engine = _connected(target, **options)
    plan = _plan(engine)
    if any(host.status == "pending" for host in plan.hosts.values()):
        if not yes:
            _show(plan, _target(target))
            click.confirm("Do this?", abort=True, err=True)
        report = _apply(engine, plan)
    else:
        report = _relabelled(plan)
    engine.close()
    _finish(report, as_json, _target(target))


def _connected(target: str | None, data: tuple[str, ...], hosts: str, exclude: str) -> Engine:
    from fleethands.rollout.engine import Engine, NoHosts  # noqa: PLC0415
    from fleethands.settings import SettingsError  # noqa: PLC0415

    values = dict(_pair(text) for text in data)
    try:
        engine = Engine(_target(target), Path.cwd(), values, hosts, exclude)
        engine.settings()
    except NoHosts as error:
        raise Trouble(str(error), "see its hosts: `pyinfra INVENTORY debug-inventory`", code=USAGE) from None
    except SettingsError as error:
        click.echo(str(error), err=True)
        raise Trouble(f"{len(error.mistakes)} mistakes in the inventory, no host was contacted") from None
    engine.connect()
    return engine


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Trouble(f"`--data {text}`: expected KEY=VALUE", code=USAGE)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _target(target: str | None) -> str:
    if target:
        return target
    choices = sorted(path for path in Path("inventory").glob("*.py") if path.name not in {"example.py", "local.py"})
    if len(choices) == 1:
        return str(choices[0])
    names = ", ".join(str(path) for path in choices) or "none"
    raise Trouble(f"no target is given, and there are {len(choices)} inventories: {names}", code=USAGE)


def _plan(engine: Engine) -> Report:
    from fleethands.rollout import report  # noqa: PLC0415

    begin = time.monotonic()
    engine.plan()
    made = report.planned(engine)
    made.seconds = time.monotonic() - begin
    return made


def _apply(engine: Engine, plan: Report) -> Report:
    from fleethands.rollout import report  # noqa: PLC0415

    begin = time.monotonic()
    engine.apply()
    made = report.applied(engine, plan)
    made.seconds = plan.seconds + time.monotonic() - begin
    return made


def _relabelled(plan: Report) -> Report:
    plan.command = "apply"
    return plan


def _show(report: Report, target: str) -> None:
    from fleethands.cli.tables import lines  # noqa: PLC0415

    for line in lines(report, target):
        click.echo(line)


def _finish(report: Report, as_json: bool, target: str) -> None:
    if as_json:
        click.echo(json.dumps(report.document(), indent=2))
    else:
        _show(report, target)
    sys.exit(EXIT[report.result])


def main() -> None:
    """Usage errors exit 64, as the contract says."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.UsageError as error:
        click.echo(f"error: {error.format_message()}", err=True)
        sys.exit(USAGE)
    except Trouble as error:
        error.show()
        sys.exit(error.code)
    except click.Abort:
        click.echo("error: not confirmed, nothing was changed", err=True)
        sys.exit(1)
