"""`fleethands COMMAND [TARGET]`."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from fleethands import __version__
from fleethands.cli.commands.apply import apply
from fleethands.cli.commands.completion import completion
from fleethands.cli.commands.init import init
from fleethands.cli.commands.lock import lock
from fleethands.cli.commands.pin import pin
from fleethands.cli.commands.plan import plan
from fleethands.cli.commands.report import report
from fleethands.cli.commands.rollback import rollback
from fleethands.cli.commands.status import status
from fleethands.cli.commands.trust import trust
from fleethands.cli.commands.tunnel import tunnel
from fleethands.cli.commands.uninstall import uninstall
from fleethands.cli.commands.verify import verify
from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.json_document import is_told, tell

INTERRUPTED = 130
EPILOG = """TARGET is an inventory file of pyinfra's or Ansible's, hosts as root@box[,root@box2], @local, or whatever
else pyinfra takes; without it, the one inventory of your own in inventory/."""


@click.group(
    "fleethands", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Puts Ollama and OpenHands on hosts over SSH, and proves that a prompt gets an answer."""


COMMANDS = (plan, apply, verify, status, tunnel, trust, init, pin, rollback, lock, report, uninstall, completion)
for command in COMMANDS:
    cli.add_command(command)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _show(error: click.UsageError) -> None:
    """The words could not be read, so `--json` is looked for among them."""
    said = error.format_message()
    click.echo(f"error: {said}", err=True)
    if "--json" in sys.argv and error.ctx and not is_told(error.ctx):
        from fleethands.report.model import Report  # noqa: PLC0415

        command = error.ctx.command_path.partition(" ")[2]
        tell(Report(command, {}, error=said).document())


def main() -> None:
    """Usage errors exit 64, as the contract says; signals that end a run exit as Ctrl-C does."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_DFL:
            signal.signal(each, _interrupt)
    try:
        sys.exit(cli(prog_name="fleethands", standalone_mode=False))
    except click.UsageError as error:
        _show(error)
        sys.exit(USAGE)
    except Trouble as error:
        error.show()
        sys.exit(error.code)
    except click.Abort:
        click.echo("error: interrupted\n\nhint: run it again: what was begun on a host is completed then", err=True)
        sys.exit(INTERRUPTED)
