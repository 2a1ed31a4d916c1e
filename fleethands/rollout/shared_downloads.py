"""The relays of a rollout: they run while its hosts are updated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fleethands.operations.core.download_note import is_download
from fleethands.report.model import HostReport, Report
from fleethands.share.relays import Relays

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine


class SharedDownloads:
    """
    A context in which hosts of a site can share downloads. If a user aborts a run within an operation, downloads on
    hosts continue. Then the relays stay at work, and end by themselves.

    + plan: its report says which hosts download something
    + announce: is given a line for each site
    """

    def __init__(self, engine: Engine, plan: Report, announce: Callable[[str], None]) -> None:
        self._runs = engine.host_runs
        self._relays = Relays(
            engine,
            [name for name, host in plan.hosts.items() if _downloads(host)],
            [name for name, host in plan.hosts.items() if host.status in {"pending", "unchanged"}],
        )
        self._announce, self._is_announced = announce, False
        self._before: Sequence[str] = ()

    def __enter__(self) -> SharedDownloads:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        is_aborted = any(run.interrupted and not run.between_operations for run in self._runs.values())
        if kind is None and not is_aborted:
            self._relays.stop()

    def start(self, batch: Sequence[str]) -> None:
        """Start the relays for the next batch, or start those again that need it."""
        if not self._is_announced:
            for site, hosts in self._relays.sites.items():
                self._announce(f"site {site}: {', '.join(hosts)} share downloads")
        self._is_announced = True
        self._relays.start(self._before)
        self._before = batch

    def add_notes(self, report: Report) -> None:
        """Add to each host the reason why it shared nothing."""
        for name, reason in self._relays.notes.items():
            report.hosts[name].notes.append(f"shared no downloads: {reason}")


def _downloads(host: HostReport) -> bool:
    return host.status == "pending" and any(is_download(each.consequence) for each in host.changes)
