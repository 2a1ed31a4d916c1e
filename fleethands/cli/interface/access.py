"""Commands that connect this machine with hosts."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import fleet_options, yes_option


@cli.command()
@fleet_options
@yes_option
def trust(**options: Any) -> None:
    """
    Fetch host keys and add them to known_hosts.

    Shows the fingerprints and asks for confirmation. Exit code 0: all host keys are known; 1: one is not.
    """
    run_later("trust", **options)


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
    run_later("tunnel", **options)
