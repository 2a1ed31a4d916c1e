"""Commands for a project and its user."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import fleet_options, json_option


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--all-settings", is_flag=True, help="Write an inventory with every setting and its default.")
@json_option
def init(**options: Any) -> None:
    """
    Create a project directory of your own.

    Writes two files that are yours to change: inventory/hosts.py has your hosts and their settings, deploy.py has the
    tasks of `fleethands apply`. No file is overwritten. Exit code 0: created; 1: not.
    """
    run_later("init", connects=False, **options)


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@json_option
def dashboards(**options: Any) -> None:
    """
    Write a dashboard for Grafana and alert rules for Prometheus.

    Writes grafana-dashboard.json and prometheus-rules.yml, which show the metrics of hosts with the setting `metrics`.
    A file that you changed is overwritten only with --force. Exit code 0: the files are there; 1: not.
    """
    run_later("dashboards", connects=False, **options)


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
    run_later("pin", **options)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """
    Print a shell completion script.

    For this shell: eval "$(fleethands completion bash)"
    """
    # every new shell waits for this command: only what it needs is imported
    importlib.import_module("fleethands.cli.commands.completion").run(shell)


@cli.command()
@fleet_options
def check(**options: Any) -> None:
    """
    Find every mistake of an inventory, offline.

    Reads settings, the lockfile and Modelfiles. Contacts no host and no registry, and runs no command of a secret. Exit
    code 0: no mistake; 1: there are mistakes.
    """
    # editors and hooks wait for this command: it needs neither pyinfra nor reports
    sys.exit(importlib.import_module("fleethands.cli.commands.check").run(**options))


@cli.command()
@click.option("--inventory", is_flag=True, help="The schema of an Ansible inventory in YAML.")
@click.option("--group-vars", is_flag=True, help="The schema of a file in group_vars or host_vars.")
@json_option
def schema(inventory: bool, group_vars: bool, **_: Any) -> None:
    """
    Print the settings as JSON Schema.

    Editors complete and check YAML files with it. Without an option, the schema of the settings of one host.
    """
    if inventory and group_vars:
        raise click.UsageError("`--inventory` and `--group-vars` are two schemas: give one of them")
    of = "inventory" if inventory else "group-vars" if group_vars else "settings"
    importlib.import_module("fleethands.cli.commands.schema").run(of)
