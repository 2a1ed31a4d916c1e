"""Everyday commands, which change no setting and take no lock."""

from __future__ import annotations

import difflib
import os
from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import fleet_options

LOGS = ("ollama", "openhands")
RECORDS = ("current", "previous", "1", "2", "3", "4", "5")


class CommandAfterDashes(click.Command):
    """A command whose words after `--` are another command. TARGET may be left out in front of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        rest = super().parse_args(ctx, args[:at])
        words = tuple(args[at + 1 :])
        if not ctx.resilient_parsing:
            if ctx.params["words"] or at == len(args):
                raise click.UsageError("put `--` in front of the command: fleethands exec [TARGET] -- uptime", ctx)
            if not words:
                raise click.UsageError("there is no command after `--`", ctx)
        ctx.params["words"] = words
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS]", "[TARGET]", "--", "COMMAND", "[ARGUMENT]"]


class LogCommand(click.Command):
    """TARGET may be left out in front of the name of a log."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        target = ctx.params.get("target")
        if target in LOGS and ctx.params.get("log") is None and not os.path.exists(target):
            ctx.params.update(target=None, log=target)
        elif target and not ctx.resilient_parsing and (near := _nearest_log(target)):
            raise click.UsageError(f"there is no log `{target}`, nearest is `{near}`", ctx)
        return rest


def _nearest_log(word: str) -> str | None:
    """The log that a misspelled word means. A word with digits or dots is a host."""
    near = difflib.get_close_matches(word, LOGS, 1, cutoff=0.8) if word.isalpha() and word not in LOGS else []
    return near[0] if near and not os.path.exists(word) else None


@cli.command("exec", cls=CommandAfterDashes)
@fleet_options
@click.argument("words", nargs=-1, metavar="COMMAND...", type=click.UNPROCESSED)
@click.option("--timeout", default="1h", metavar="DURATION", show_default=True, help="Time limit per host.")
def exec_command(**options: Any) -> None:
    """
    Run a command on all hosts at the same time.

    The command runs as root, in root's home, and reads no input. One word is a line for the shell: -- 'df -h | grep
    /opt'. Several words are passed as they are. Ctrl-C stops the command on the hosts too. Exit code 0: it exited 0 on
    all hosts; 1: it failed on a host; 130: interrupted.
    """
    run_later("exec", **options)


@cli.command("logs", cls=LogCommand)
@fleet_options
@click.argument("log", required=False, type=click.Choice(LOGS))
@click.option("-f", "--follow", is_flag=True, help="Print new lines as they appear, until Ctrl-C.")
@click.option("--since", metavar="DURATION", help="Only lines of this time, such as `1h`.")
@click.option(
    "--lines",
    type=click.IntRange(0, 100_000),
    metavar="N",
    help="The newest N lines of each log. Default: 100; 10000 with --since.",
)
def logs_command(**options: Any) -> None:
    """
    Show the logs of Ollama and OpenHands.

    The host finds its log: the journal of a service, or the output of a container. Secrets are masked. Exit code 0:
    shown, or there is no such log; 1: a host could not be read.
    """
    run_later("logs", **options)


@cli.command("models")
@fleet_options
def models_command(**options: Any) -> None:
    """
    Show which models are on which hosts, and their sizes.

    A model is unused if it is neither declared nor loaded. Nothing is changed. Exit code 0: shown; 1: a host could not
    be read.
    """
    run_later("models", **options)


@cli.command("history")
@fleet_options
@click.option(
    "--diff",
    nargs=2,
    type=click.Choice(RECORDS),
    metavar="A B",
    help="Show what differs from record A to record B: a number of the list, `current` or `previous`.",
)
def history_command(**options: Any) -> None:
    """
    Show who applied what to each host, and when.

    Reads the release records of the hosts, the newest first. Exit code 0: shown; 1: a host could not be read, or lacks
    a record that --diff names.
    """
    run_later("history", **options)
