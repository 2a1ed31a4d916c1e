"""The group of all commands."""

from __future__ import annotations

import importlib
import signal
from typing import Any

import click

from fleethands import __version__

WIDTH = 80
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EPILOG = """TARGET is a pyinfra or Ansible inventory file, hosts such as root@box[,root@box2], @local, or anything else
that pyinfra takes. The default is your own inventory in inventory/, if there is exactly one."""


def run_later(module: str, function: str = "run", *, connects: bool = True, **options: Any) -> None:
    """
    Import what a command does, and run it: help, wrong options and shell completion need no pyinfra.

    + connects: whether the command may open connections
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until `run` can report an interrupt
    if connects:
        importlib.import_module("fleethands.start_up").prepare_imports()
    importlib.import_module("fleethands.cli.run_command").run(module, function, options)


@click.group(
    "fleethands", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Puts Ollama and OpenHands on hosts over SSH, and proves that a prompt gets an answer."""
