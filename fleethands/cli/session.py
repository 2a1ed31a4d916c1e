"""From a command line to hosts: an engine whose settings are right, and whose hosts are connected."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, TypeVar

import click

from fleethands.cli.errors import NothingToDo
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.targets import FILES
from fleethands.command_line import CommandLine
from fleethands.deploy_files import find_project
from fleethands.deploy_options import DeployOptions
from fleethands.engine.engine import Engine
from fleethands.engine.interrupts import Interrupts
from fleethands.errors import FleethandsError, UsageError
from fleethands.fleet.ansible.kind import PREFIX, ansible_file
from fleethands.fleet.host_address import InvalidHostName
from fleethands.fleet.selection import HostSelection, join_names
from fleethands.fleet.shard import WHOLE, EmptyShard, Shard
from fleethands.operations.core.provenance import set_inventory
from fleethands.report.model import Report
from fleethands.rollout import build_report
from fleethands.settings import SettingsError
from fleethands.ssh.host_config import ignored_config_lines
from fleethands.ssh.timeouts import LIMITS, Limits

T = TypeVar("T")
PYTHON_WORDS = {"True": True, "False": False, "None": None}  # as inventories have them


def open_hosts(
    writer: ReportWriter,
    line: CommandLine | None = None,
    options: DeployOptions | None = None,
    only: frozenset[str] | None = None,
    limits: Limits = LIMITS,
) -> Engine:
    """
    An engine whose hosts are known, and not connected yet.

    + line: None for what was typed
    + only: hosts that a report left; None for all

    Raises FleethandsError, NothingToDo.
    """
    line = line or writer.line
    data = {**dict(map(_parse_pair, line.data)), **(options or DeployOptions()).to_host_data()}
    selection = HostSelection(line.hosts or "*", line.exclude, _parse_shard(line.shard), only)
    try:
        engine = Engine.load(line.target, find_project(), data, selection, line, limits)
    except InvalidHostName as error:
        raise error if os.path.isfile(line.target) else UsageError(error.problem) from None
    except EmptyShard as error:
        raise NothingToDo(str(error)) from None
    _warn(engine, line.target, only or frozenset())
    set_inventory(line.target.removeprefix(PREFIX))
    writer.engine = engine
    return engine


def open_checked_hosts(
    writer: ReportWriter,
    options: DeployOptions | None = None,
    only: frozenset[str] | None = None,
    limits: Limits = LIMITS,
) -> Engine:
    """The same, with settings that are right. With `--upstream`, the registries were asked."""
    engine = open_hosts(writer, options=options, only=only, limits=limits)
    read_settings(writer, engine.settings, _models_hints(writer.line))
    if writer.line.upstream:
        engine.ask_registries(lambda text: click.echo(text, err=True))
    return engine


def connect(engine: Engine) -> Engine:
    """Connect to the hosts of an engine."""
    try:
        with Interrupts():
            engine.connect()
    except BaseException:
        engine.close()
        raise
    return engine


def read_settings(writer: ReportWriter, read: Callable[[], T], hints: Sequence[str] = ()) -> T:
    """
    What reads settings, or an error that counts their mistakes.

    + hints: for hosts without models
    """
    try:
        return read()
    except SettingsError as error:
        writer.mistakes = error.mistakes
        click.echo(str(error), err=True)
        count = len({(each.path, each.problem) for each in error.mistakes})  # hosts share a line
        problem = f"{count} mistake{'s' if count > 1 else ''} in the inventory, no host was contacted"
        lacks_models = any(each.path == "models" for each in error.mistakes)
        raise FleethandsError(problem, *(hints if lacks_models else ())) from None


def plan_connected(engine: Engine, deploy: str) -> Report:
    """
    The report of what connected hosts lack.

    + deploy: file of the project
    """
    with Interrupts():
        engine.plan(deploy)
    return build_report.plan_report(engine, engine.command_line.command)


def plan_hosts(engine: Engine, deploy: str = "deploy.py", *, keep: bool = False) -> Report:
    """
    Connect to hosts, and report what they lack.

    + keep: the connections to those that have something to do
    """
    with Interrupts():
        engine.connect_and_plan(deploy, keep)
    return build_report.plan_report(engine, engine.command_line.command)


def read_hosts(engine: Engine) -> Report:
    """The report of hosts that are only read. If the run is interrupted, it has what is known by then."""
    with closing(engine):
        try:
            return plan_hosts(engine)
        except KeyboardInterrupt:
            return build_report.interrupted_read_report(engine, engine.command_line.command, engine.probed)


def _parse_shard(text: str) -> Shard:
    try:
        return Shard.parse(text) if text else WHOLE
    except ValueError as error:
        raise UsageError(f"`--shard` {error}") from None


def _parse_pair(text: str) -> tuple[str, Any]:
    """Values are JSON, or Python's words, or text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"`--data {text}`: expected KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, PYTHON_WORDS.get(value, value)


def _warn(engine: Engine, target: str, only: frozenset[str]) -> None:
    if absent := sorted(only - set(engine.inventory.hosts)):
        click.echo(f"warning: {target} no longer has these hosts of the report: {join_names(absent, 10)}", err=True)
    for line in [*engine.warnings, *ignored_config_lines(engine.hosts)]:
        click.echo(f"warning: {line}", err=True)


def _models_hints(line: CommandLine) -> list[str]:
    """How to declare models for hosts without an inventory file, such as `root@box`."""
    if (path := ansible_file(line.target)) is not None:
        return [f"declare them in {path.parent / 'group_vars/all.yml'}, for example `models: [codellama:7b]`"]
    has_models = any(pair.startswith("models=") for pair in line.data)
    if has_models or line.target.endswith(FILES) or os.path.isfile(line.target):
        return []
    example = line.with_data('models=["codellama:7b"]')
    return [
        f"name the models: {example.repeated}",
        "to keep them in a file of your own: fleethands init DIR",
    ]
