"""`fleethands apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.change_command import carry_out, lock_option
from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.report_files import leave_empty, report_options
from fleethands.cli.retry_failed import left_by, spoken_of, without_it
from fleethands.cli.session import chosen, fleet_options, upstream_option
from fleethands.deploy_options import DeployOptions

if TYPE_CHECKING:
    from fleethands.rollout.strategy import RolloutStrategy
    from fleethands.ssh.timeouts import Limits

_OPTIONS = (
    click.option("--canary", metavar="N|NAME", help="So many hosts, or this one, first and alone."),
    click.option("--batch", metavar="N|P%", help="So many hosts at once, the next when these are proven."),
    click.option("--max-fail", default="1", metavar="N|P%", show_default=True, help="So many failed hosts end it."),
    click.option(
        "--order", default="sorted", metavar="sorted|random[:SEED]", show_default=True, help="Which hosts go first."
    ),
    click.option("--rollback/--no-rollback", default=True, help="A host that fails goes back.", show_default=True),
    click.option(
        "--verify",
        type=click.Choice(["changed", "always", "never"]),
        default="changed",
        show_default=True,
        help="Which hosts make a proof.",
    ),
    click.option("--retry-failed", metavar="REPORT", help="Only hosts that are not done by this report.json."),
    click.option("--host-timeout", default="4h", metavar="DURATION", show_default=True, help="For all of one host."),
    click.option(
        "--command-timeout", default="1h", metavar="DURATION", show_default=True, help="For silence of one command."
    ),
)


def rollout_options(command: Any) -> Any:
    """How a rollout goes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@fleet_options
@report_options
@upstream_option
@rollout_options
@lock_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(target: str | None, verify: str, retry_failed: str | None, **options: Any) -> None:
    """Plan, then do it, through to the proof. Exit 0: done, changed or not; 1: a host failed; 130: interrupted."""
    limits, manner = _read(options)
    target, only = chosen(target), None
    if retry_failed:
        only = left_by(retry_failed, without_it(target, options))
        if not only:
            leave_empty(f"every host of {retry_failed} is done", spoken_of(target, options), options["shard"])
    extra = DeployOptions(verify=verify).to_host_data()
    carry_out("apply", "deploy.py", target, extra=extra, manner=manner, limits=limits, only=only, **options)


def _read(options: dict[str, Any]) -> tuple[Limits, RolloutStrategy]:
    """Take the words of a rollout out of the options. Raises Trouble."""
    from fleethands.rollout.strategy import Canary, HostQuota, InvalidOption, Order, RolloutStrategy, parse_duration  # noqa: PLC0415
    from fleethands.ssh.timeouts import Limits  # noqa: PLC0415

    canary, batch = options.pop("canary"), options.pop("batch")
    try:
        manner = RolloutStrategy(
            order=Order.read(options.pop("order")),
            canary=Canary(canary) if canary else None,
            batch=HostQuota.read("--batch", batch) if batch else None,
            failure_limit=HostQuota.read("--max-fail", options.pop("max_fail"), least=0),
            back=options.pop("rollback"),
        )
        silence = parse_duration("--command-timeout", options.pop("command_timeout"))
        return Limits(silence, parse_duration("--host-timeout", options.pop("host_timeout"))), manner
    except InvalidOption as error:
        raise Trouble(str(error), *error.hints, code=USAGE) from None
