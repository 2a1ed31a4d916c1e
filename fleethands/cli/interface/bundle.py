"""Commands for bundles."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import fleet_options, json_option

SUITES = ("debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04")
ARCHS = ("amd64", "arm64")


@cli.group()
def bundle() -> None:
    """
    Pack everything that hosts without internet need into one file.

    A bundle has releases of Ollama, models, images, and packages of the distribution.
    """


@bundle.command("create")
@fleet_options
@click.option("-o", "--output", required=True, metavar="FILE", help="The file to write.")
@click.option("--arch", "archs", multiple=True, type=click.Choice(ARCHS), help="Architecture of hosts. Default: amd64.")
@click.option(
    "--suite", "suites", multiple=True, type=click.Choice(SUITES), help="Also pack the packages that bare hosts need."
)
@click.option("--since", metavar="FILE", help="Leave out what this older bundle has.")
@click.option("--mirror", "mirrors", multiple=True, metavar="NAME=URL", help="A mirror. Default: that of apt here.")
@click.option("--keyring", metavar="FILE", help="Keyring that the archives of packages are checked with.")
def bundle_create(**options: Any) -> None:
    """
    Download what the hosts of an inventory need into one file.

    Asks registries and mirrors; no host is contacted. The lockfile decides what is packed. Run it again if it was
    interrupted: it continues. Exit code 0: created; 1: not.
    """
    run_later("bundle", "create", **options)


@bundle.command("verify")
@click.argument("path", metavar="FILE")
@json_option
def bundle_verify(**options: Any) -> None:
    """
    Read every byte of a bundle, and compare it with its digest.

    Exit code 0: complete and intact; 1: truncated, damaged, or no bundle.
    """
    run_later("bundle", "verify", connects=False, **options)


@bundle.command("show")
@click.argument("path", metavar="FILE")
@click.option("--packages", is_flag=True, help="List each package of the distribution too.")
@json_option
def bundle_show(**options: Any) -> None:
    """
    Show what a bundle has, and for which hosts.

    Reads its index only. Exit code 0: shown; 1: no bundle, or truncated.
    """
    run_later("bundle", "show", connects=False, **options)
