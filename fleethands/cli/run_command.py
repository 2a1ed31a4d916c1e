"""Runs one command: it leaves its report or its JSON document, whatever ends it."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from fleethands.cli.errors import NothingToDo
from fleethands.cli.interface.group import STOPS
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.command_line import CommandLine
from fleethands.fleet.targets import resolve_target

IN_COMMAND_LINE = {"target", "hosts", "exclude", "shard", "data", "upstream", "yes"}
IN_WRITER = {"report", "summary", "as_json"}


def run(module: str, function: str, options: Mapping[str, Any]) -> NoReturn:
    """
    Run a command and exit with its code.

    + module, function: in `fleethands.cli.commands`; the function takes the writer and the command's own options
    + options: as click read them
    """
    context = click.get_current_context()
    writer = ReportWriter(command_line_of(context), **{name: options[name] for name in IN_WRITER & options.keys()})
    writer.reports_hosts = {"target", "report"} <= options.keys()
    own = {name: value for name, value in options.items() if name not in IN_COMMAND_LINE | IN_WRITER}
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        writer.check_places()
        if "target" in options:
            writer.line = replace(writer.line, target=resolve_target(options["target"]))
        code = getattr(importlib.import_module(f"fleethands.cli.commands.{module}"), function)(writer, **own)
    except NothingToDo as reason:
        code = writer.write_nothing_to_do(str(reason))
    except BaseException as error:
        writer.write_unfinished(error)
        raise
    sys.exit(code)


def command_line_of(context: click.Context) -> CommandLine:
    """What was typed, by the names of the options."""
    known = {name: context.params[name] for name in IN_COMMAND_LINE & context.params.keys()}
    known["target"] = known.get("target") or ""
    return CommandLine(context.command_path.partition(" ")[2], **known, options=tuple(_other_options(context)))


def _other_options(context: click.Context) -> Iterator[tuple[str, ...]]:
    for option in context.command.params:
        if not isinstance(option, click.Option) or option.name is None or option.name in IN_COMMAND_LINE | IN_WRITER:
            continue
        if context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            value = context.params[option.name]
            for each in value if option.multiple else [value]:
                yield _as_typed(option, each)


def _as_typed(option: click.Option, value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (option.opts[0] if value else option.secondary_opts[0],)
    if isinstance(value, tuple):  # `nargs`
        return option.opts[0], *map(str, value)
    return option.opts[0], f"{value:g}" if isinstance(value, float) else str(value)
