"""
The whole command line: each command, its options and its help.

What a command does is in the module of its name in `commands`, which is imported when the command runs: help, wrong
options and shell completion need no pyinfra, and answer at once.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from fleethands import __version__
from fleethands.cli.options import (
    fleet_options,
    json_option,
    lock_wait_option,
    report_options,
    rollout_options,
    upstream_option,
    yes_option,
)

WIDTH = 80
EPILOG = """TARGET is a pyinfra or Ansible inventory file, hosts such as root@box[,root@box2], @local, or anything else
that pyinfra takes. The default is your own inventory in inventory/, if there is exactly one."""


def _run(module: str, function: str = "run", **options: Any) -> None:
    importlib.import_module("fleethands.cli.run_command").run(module, function, options)


@click.group(
    "fleethands", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Puts Ollama and OpenHands on hosts over SSH, and proves that a prompt gets an answer."""


@cli.command()
@fleet_options
@report_options
@upstream_option
def plan(**options: Any) -> None:
    """
    Show what apply would change, and why.

    Nothing is changed. Exit code 0: nothing to do; 2: changes are pending; 1: a host was refused or could not be read.
    """
    _run("plan", **options)


@cli.command()
@fleet_options
@report_options
@upstream_option
@rollout_options
@lock_wait_option
@yes_option
def apply(**options: Any) -> None:
    """
    Bring hosts to the state that the inventory describes.

    Shows the plan, asks for confirmation, updates the hosts, and proves that each answers a prompt. Exit code 0: done;
    1: a host failed; 130: interrupted.
    """
    _run("apply", **options)


@cli.command()
@fleet_options
@report_options
@click.option("--checksums", is_flag=True, help="Also read every byte of the models. A broken file is removed.")
@click.option("--conversation", is_flag=True, help="Also hold a conversation in OpenHands, and remove it afterwards.")
def verify(**options: Any) -> None:
    """
    Prove that each host answers a prompt.

    Checks the path from Ollama to OpenHands, link by link, and changes no setting. Exit code 0: all hosts are proven;
    1: a link is broken.
    """
    _run("verify", **options)


@cli.command()
@fleet_options
@report_options
def status(**options: Any) -> None:
    """
    Show the state of each host.

    Nothing is changed. Exit code 0: as the inventory describes; 2: a host differs; 1: a host could not be read.
    """
    _run("status", **options)


@cli.command()
@fleet_options
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Local port. Default: the same port as on the host, or a free one.",
)
@click.option("--ollama", is_flag=True, help="Forward Ollama's API instead of OpenHands.")
@click.option("--open", "browse", is_flag=True, help="Open the page in a browser.")
def tunnel(**options: Any) -> None:
    """
    Forward one host's OpenHands to a local port.

    TARGET may be the name of a host in your own inventory. Ctrl-C ends the tunnel. Exit code 0: ended; 1: the host
    could not be reached.
    """
    _run("tunnel", **options)


@cli.command()
@fleet_options
@yes_option
def trust(**options: Any) -> None:
    """
    Fetch host keys and add them to known_hosts.

    Shows the fingerprints and asks for confirmation. Exit code 0: all host keys are known; 1: one is not.
    """
    _run("trust", **options)


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--all-settings", is_flag=True, help="Write an inventory with every setting and its default.")
@json_option
def init(**options: Any) -> None:
    """
    Create a project directory of your own.

    Writes deploy.py, tasks, templates and a short inventory. No file is overwritten. Exit code 0: created; 1: not.
    """
    _run("init", **options)


@cli.command()
@fleet_options
@click.option("--only", multiple=True, metavar="NAME", help="Pin only this version, model or image.")
@click.option("--check", is_flag=True, help="Write nothing, only compare the lockfile with the registries.")
def pin(**options: Any) -> None:
    """
    Write exact versions and digests to fleethands.lock.

    Asks the registries; no host is contacted. Exit code 0: written; 1: a registry did not answer. With --check, 0: up
    to date; 1: the lockfile lacks something; 2: a tag has moved.
    """
    _run("pin", **options)


@cli.command()
@fleet_options
@report_options
@click.option(
    "--to",
    type=click.Choice(["current", "previous"]),
    help="Record to restore: the last proven state, or the one before it. Default: `previous` if the host is proven"
    " now, otherwise `current`.",
)
@lock_wait_option
@yes_option
def rollback(**options: Any) -> None:
    """
    Restore the state of a release record.

    Downloads nothing. Exit code 0: restored and proven; 1: a host failed.
    """
    _run("rollback", **options)


@cli.group()
def lock() -> None:
    """
    Acquire, inspect or release host locks.

    Runs that change hosts lock them by themselves.
    """


@lock.command("acquire")
@fleet_options
@click.option("--reason", default="", metavar="TEXT", help="Why the hosts are locked. Other users are shown it.")
def lock_acquire(**options: Any) -> None:
    """
    Lock hosts until you release them.

    No run changes these hosts meanwhile, and no run waits for them. Exit code 0: all are locked; 1: one is not.
    """
    _run("lock", "acquire", **options)


@lock.command("status")
@fleet_options
def lock_status(**options: Any) -> None:
    """
    Show who holds each lock, since when and why.

    Exit code 0: shown; 1: a host could not be read.
    """
    _run("lock", "status", **options)


@lock.command("release")
@fleet_options
def lock_release(**options: Any) -> None:
    """
    Release locks, and show who held them.

    A run that loses its lock stops before its next step. Exit code 0: released; 1: a host could not be reached.
    """
    _run("lock", "release", **options)


@cli.group()
def report() -> None:
    """Show a report of an earlier run, or merge several."""


@report.command("show")
@click.argument("path", metavar="DIR|FILE")
@json_option
def report_show(**options: Any) -> None:
    """
    Show a report.

    The exit code is that of the run.
    """
    _run("report", "show", **options)


@report.command("merge")
@click.argument("paths", nargs=-1, required=True, metavar="DIR|FILE...")
@report_options
@json_option
def report_merge(**options: Any) -> None:
    """
    Merge the reports of the parts of a fleet into one.

    The exit code is that of one run over the whole fleet.
    """
    _run("report", "merge", **options)


@cli.command()
@fleet_options
@report_options
@click.option("--models", is_flag=True, help="Remove the models too.")
@click.option("--workspaces", is_flag=True, help="Remove OpenHands' workspaces and conversations too.")
@lock_wait_option
@yes_option
def uninstall(**options: Any) -> None:
    """
    Remove what apply put on hosts.

    Nothing else is removed, and packages stay. Exit code 0: removed; 1: a host failed.
    """
    _run("uninstall", **options)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """
    Print a shell completion script.

    For this shell: eval "$(fleethands completion bash)"
    """
    # every new shell waits for this command: only what it needs is imported
    importlib.import_module("fleethands.cli.commands.completion").run(shell)
