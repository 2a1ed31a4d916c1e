"""The program `fleethands`: runs a command, and turns what ends it into an exit code."""

from __future__ import annotations

import gc
import importlib
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from fleethands.cli.errors import EXIT_INTERRUPTED, EXIT_USAGE, exit_code, print_problem
from fleethands.cli.interface import cli
from fleethands.cli.renamed import find_renamed
from fleethands.errors import FleethandsError, Problem


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _print_usage_error(error: click.UsageError) -> None:
    """No command has begun, so `--json` is looked for among the arguments."""
    message = find_renamed(sys.argv[1:]) or error.format_message()
    click.echo(f"error: {message}", err=True)
    if "--json" in sys.argv and error.ctx:
        command = error.ctx.command_path.partition(" ")[2]
        importlib.import_module("fleethands.cli.output.report_writer").print_failure(command, message)


def main() -> None:
    """Usage errors exit 64. A signal that ends a run has the exit code of Ctrl-C."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_DFL:
            signal.signal(each, _interrupt)
    try:
        sys.exit(cli(prog_name="fleethands", standalone_mode=False))
    except click.UsageError as error:
        _print_usage_error(error)
        sys.exit(EXIT_USAGE)
    except FleethandsError as error:
        print_problem(error.problem)
        sys.exit(exit_code(error))
    except click.Abort:
        print_problem(Problem("interrupted", ("run it again: what was begun on a host is completed then",)))
        sys.exit(EXIT_INTERRUPTED)
    finally:
        gc.freeze()  # Python searches for garbage while it exits, for a tenth of a plan's time
