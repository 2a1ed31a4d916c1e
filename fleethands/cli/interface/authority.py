"""Commands for the authority of certificates."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import json_option


@cli.group()
def authority() -> None:
    """
    Create or show the authority of a fleet.

    An authority issues the certificates of gateways. It is one file on this machine, with a certificate, which clients
    trust, and its private key.
    """


@authority.command("create")
@click.argument("path", metavar="FILE")
@click.option(
    "--name", default="fleethands authority", metavar="TEXT", show_default=True, help="The name that clients show."
)
@json_option
def authority_create(**options: Any) -> None:
    """
    Create an authority.

    It is valid for ten years. Only you can read FILE, and no file is overwritten. Exit code 0: created; 1: not.
    """
    run_later("authority", "create", connects=False, **options)


@authority.command("show")
@click.argument("path", metavar="FILE")
@json_option
def authority_show(**options: Any) -> None:
    """
    Print the certificate of an authority without its key.

    For clients: fleethands authority show authority.pem > fleet.crt

    Exit code 0: printed; 1: FILE is not an authority.
    """
    run_later("authority", "show", connects=False, **options)
