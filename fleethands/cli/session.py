"""From a command line to hosts: an engine whose settings are right, and whose hosts are connected."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from fleethands.cli.errors import NothingToDo
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.command_line import CommandLine
from fleethands.deploy_files import find_project as project
from fleethands.deploy_options import DeployOptions
from fleethands.engine.engine import Engine
from fleethands.errors import FleethandsError
from fleethands.fleet.ansible.kind import ansible_file
from fleethands.fleet.shard import EmptyShard
from fleethands.fleet.targets import FILES
from fleethands.runs import open_hosts as runs
from fleethands.runs.read_hosts import connect, plan_connected, plan_hosts, read_hosts
from fleethands.settings import SettingsError
from fleethands.ssh.timeouts import LIMITS, Limits

__all__ = [
    "connect",
    "open_checked_hosts",
    "open_hosts",
    "plan_connected",
    "plan_hosts",
    "project",
    "read_hosts",
    "read_settings",
]
T = TypeVar("T")


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
    wanted = runs.WantedHosts(line or writer.line, options or DeployOptions(), only=only, limits=limits)
    try:
        writer.engine = runs.open_hosts(wanted, lambda text: click.echo(f"warning: {text}", err=True))
    except EmptyShard as error:
        raise NothingToDo(str(error)) from None
    return writer.engine


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
