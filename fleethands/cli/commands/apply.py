"""`fleethands apply`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleethands.cli.bundles import check_bundles
from fleethands.cli.change_command import ChangeRun, run_change
from fleethands.cli.errors import NothingToDo
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.retry_failed import unfinished_hosts
from fleethands.deploy_options import DeployOptions
from fleethands.rollout.strategy import (
    Canary,
    HostQuota,
    Order,
    RolloutStrategy,
    check_slowdown,
    parse_drain_timeout,
    parse_duration,
)
from fleethands.ssh.timeouts import Limits


@dataclass(frozen=True)
class RolloutOptions:
    """The options of a rollout, as they were typed."""

    canary: str | None
    batch: str | None
    max_fail: str
    max_slowdown: str | None
    order: str
    rollback: bool
    verify: str
    retry_failed: str | None
    drain_timeout: str
    host_timeout: str
    command_timeout: str

    @property
    def strategy(self) -> RolloutStrategy:
        """Raises InvalidOption."""
        return RolloutStrategy(
            order=Order.parse(self.order),
            canary=Canary(self.canary) if self.canary is not None else None,
            batch=HostQuota.parse("--batch", self.batch) if self.batch is not None else None,
            failure_limit=HostQuota.parse("--max-fail", self.max_fail, least=0),
            rolls_back=self.rollback,
            drain_timeout=parse_drain_timeout(self.drain_timeout),
        )

    @property
    def limits(self) -> Limits:
        """Raises InvalidOption."""
        silence = parse_duration("--command-timeout", self.command_timeout)
        return Limits(silence, parse_duration("--host-timeout", self.host_timeout))


def run(writer: ReportWriter, lock_wait: float, no_hooks: bool, bundle: tuple[str, ...], **typed: Any) -> int:
    options = RolloutOptions(**typed)
    strategy, limits, only = options.strategy, options.limits, None
    if options.retry_failed:
        writer.retried = Path(options.retry_failed)
        only = unfinished_hosts(options.retry_failed, writer.line)
        if not only:
            raise NothingToDo(f"every host of {options.retry_failed} is done")
    check_slowdown(options.max_slowdown, options.verify)
    bundles = check_bundles(writer, bundle, whole=True)
    passed = DeployOptions(verify=options.verify, max_slowdown=options.max_slowdown or "", bundle=bundles)
    return run_change(writer, ChangeRun("deploy.py", passed, strategy, limits, lock_wait, only, not no_hooks))
