"""Every option of the command line that several commands take, and those of a rollout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fleethands.cli.shell_completion import complete_hosts, complete_targets

F = TypeVar("F", bound=Callable[..., Any])


def _join(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> str:
    """`--hosts a --hosts b,c` means three hosts."""
    return ",".join(values)


def _pattern_option(name: str, text: str) -> Any:
    return click.option(
        name, multiple=True, callback=_join, metavar="PATTERN", help=text, shell_complete=complete_hosts
    )


_FLEET = (
    click.argument("target", required=False, shell_complete=complete_targets),
    _pattern_option("--hosts", "Only these hosts: names, patterns such as `gpu-*`, or groups, separated by commas."),
    _pattern_option("--exclude", "Leave out these hosts, named in the same way."),
    click.option(
        "--shard",
        default="",
        metavar="I/N",
        help="Only part I of N of the fleet. A host is in the same part in every run.",
    ),
    click.option("--data", multiple=True, metavar="KEY=VALUE", help="Set a setting for all hosts."),
)
_REPORT = (
    click.option(
        "--report",
        metavar="DIR",
        help="Write report.json, junit.xml and report.html to this directory, even if the run fails.",
    ),
    click.option("--summary", metavar="FILE", help="Append the report to this file as Markdown, for a CI job summary."),
)
_ROLLOUT = (
    click.option(
        "--canary",
        metavar="N|NAME",
        help="Update N hosts, or the named host, first and stop if any of them fails.",
    ),
    click.option("--batch", metavar="N|P%", help="Number or percentage of hosts to update at a time."),
    click.option(
        "--max-fail", default="1", metavar="N|P%", show_default=True, help="Stop after this many failed hosts."
    ),
    click.option(
        "--max-slowdown",
        metavar="P%",
        help="Fail a host whose tokens a second fell by more than this percentage since its release record. "
        "No limit by default.",
    ),
    click.option(
        "--order",
        default="sorted",
        metavar="sorted|random[:SEED]",
        show_default=True,
        help="Order in which hosts are updated.",
    ),
    click.option("--rollback/--no-rollback", default=True, show_default=True, help="Roll back a host that fails."),
    click.option(
        "--verify",
        type=click.Choice(["changed", "always", "never"]),
        default="changed",
        show_default=True,
        help="Prove only hosts that changed or are not proven, all hosts, or none.",
    ),
    click.option(
        "--drain-timeout",
        default="10m",
        metavar="DURATION",
        show_default=True,
        help="How long to wait for the requests under way before a host changes that is behind a gateway. With 0, no "
        "host is taken out of its gateways.",
    ),
    click.option("--retry-failed", metavar="REPORT", help="Only hosts that this report.json does not list as done."),
    click.option("--host-timeout", default="4h", metavar="DURATION", show_default=True, help="Time limit per host."),
    click.option(
        "--command-timeout",
        default="1h",
        metavar="DURATION",
        show_default=True,
        help="Fail a command that prints nothing for this long.",
    ),
)


def _take(options: tuple[Any, ...]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
fleet_options = _take((*_FLEET, json_option))
report_options = _take(_REPORT)
rollout_options = _take(_ROLLOUT)
upstream_option = click.option("--upstream", is_flag=True, help="Also ask the registries whether a tag has moved.")
bundle_option = click.option(
    "--bundle",
    multiple=True,
    metavar="FILE",
    help="Take everything from this bundle, so that no host needs the internet.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
hooks_option = click.option("--no-hooks", is_flag=True, help="Do not run the hooks of the project.")
lock_wait_option = click.option(
    "--lock-wait",
    type=click.FloatRange(0),
    default=0.0,
    metavar="SECONDS",
    help="Seconds to wait for another run's lock (0: fail at once). Manual locks are never waited for.",
)
