"""A fleet as an object: plan, apply, verify, read and roll back its hosts."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import replace
from os import PathLike, fspath
from typing import Any, Literal

from fleethands.api.code_line import CodeLine
from fleethands.api.events import OnEvent
from fleethands.api.lines import Paths, connection_pairs, join_patterns, list_bundles, shown_pairs
from fleethands.api.request import Action, CodeFleet, Request
from fleethands.api.strategy import Strategy, list_options, make_rollout, to_seconds
from fleethands.api.workers import Workers
from fleethands.command_line import CommandLine
from fleethands.deploy_options import DeployOptions
from fleethands.errors import UsageError
from fleethands.fleet.targets import resolve_target
from fleethands.report.model import Report
from fleethands.settings import HostSettings

HostData = Mapping[str, Any]
Patterns = str | Iterable[str]
DEFAULT_STRATEGY = Strategy()
DEFAULT_OPTIONS = DeployOptions()


class Fleet:
    """
    The hosts of an inventory, or hosts that a program declares.

    + hosts: host name → its settings and other host data; or host names alone
    + groups: group → names of hosts
    + data: host data for all hosts; takes precedence

    Nothing is read or connected until a method needs it. Each call of `plan`, `apply`, `verify`, `status`, `rollback`
    and `settings` runs in a worker process of its own, so threads may use fleets at the same time. A report has the
    status of each host: a host that fails raises no exception. These methods raise:

    - UsageError, SettingsError and other FleethandsErrors: no host was changed
    - Interrupted: Ctrl-C; its `report` has what was done
    - WorkerDied: the worker process was killed

    Example:

        fleet = Fleet({"gpu-1.example.net": {"models": ["codellama:7b"]}})
        report = fleet.apply(Strategy(canary=1), on_event=print)
        report.hosts["gpu-1.example.net"].status  # "changed"
    """

    def __init__(
        self,
        hosts: Mapping[str, HostData] | Iterable[str],
        *,
        groups: Mapping[str, Iterable[str]] | None = None,
        data: HostData | None = None,
    ) -> None:
        declared = _declare(hosts)
        members = {group: tuple(names) for group, names in (groups or {}).items()}
        if unknown := sorted({name for names in members.values() for name in names} - declared.keys()):
            raise UsageError(f"`groups` has hosts that this fleet does not have: {', '.join(unknown)}")
        self._data = dict(data or {})
        self._code: CodeFleet | None = CodeFleet(declared, members)
        pairs = {name: connection_pairs({**own, **self._data}) for name, own in declared.items()}
        self._line: CommandLine = CodeLine(connections=pairs)
        self._workers = Workers()

    @classmethod
    def load(
        cls,
        target: str | PathLike[str],
        *,
        hosts: Patterns = "",
        exclude: Patterns = "",
        shard: str = "",
        data: HostData | None = None,
    ) -> Fleet:
        """
        The fleet of a target.

        + target: an inventory file, or anything else that the command line takes, such as `root@box`
        + hosts, exclude: host patterns: names, patterns such as `gpu-*`, or groups
        + shard: `I/N` for one part of the fleet
        + data: host data for all hosts, which takes precedence over the inventory's

        Raises UsageError for a file that does not exist. The inventory is read by each call.

        Example: `Fleet.load("inventory/prod.py", hosts="gpu-*", data={"ollama_version": "0.24.0"})`
        """
        fleet = cls(())
        fleet._code, fleet._data = None, dict(data or {})
        fleet._line = CommandLine(
            target=resolve_target(fspath(target)),
            hosts=join_patterns(hosts),
            exclude=join_patterns(exclude),
            shard=shard,
            data=shown_pairs(fleet._data),
        )
        return fleet

    def select(self, hosts: Patterns = "", exclude: Patterns = "") -> Fleet:
        """
        The same fleet with other host patterns.

        + hosts, exclude: host patterns; empty for all hosts, and for none

        Example: `fleet.select("gpu-1").apply()`
        """
        other = Fleet(())
        other._code, other._data = self._code, self._data
        other._line = replace(self._line, hosts=join_patterns(hosts), exclude=join_patterns(exclude))
        return other

    def settings(self) -> dict[str, HostSettings]:
        """
        The settings of each host. No host is contacted.

        Raises SettingsError with all mistakes.
        """
        pickled = base64.b64decode(self._workers.ask(self._request("settings"))["settings"])
        found: dict[str, HostSettings] = pickle.loads(pickled)  # noqa: S301  this process's worker wrote it
        return found

    def plan(self, *, upstream: bool = False, bundle: Paths = (), on_event: OnEvent | None = None) -> Report:
        """
        What `apply` would change. Nothing is changed.

        + upstream: also ask the registries whether a tag has moved
        + bundle: the file, or files, that everything comes from
        + on_event: receives events, in the calling thread
        """
        request = self._request("plan", DeployOptions(bundle=list_bundles(bundle, upstream)), upstream=upstream)
        return self._workers.report(request, on_event)

    def status(self, *, on_event: OnEvent | None = None) -> Report:
        """The state of each host, with its facts. A host that differs from its settings is `pending`."""
        return self._workers.report(self._request("status"), on_event)

    def verify(self, *, conversation: bool = False, checksums: bool = False, on_event: OnEvent | None = None) -> Report:
        """
        Prove that each host answers a prompt. `HostReport.proof` has the links.

        + conversation: also hold a conversation in OpenHands
        + checksums: also read every byte of the models
        """
        options = DeployOptions(conversation=conversation, checksums=checksums)
        return self._workers.report(self._request("verify", options), on_event)

    def apply(  # noqa: PLR0913  (each is an option)
        self,
        strategy: Strategy = DEFAULT_STRATEGY,
        *,
        verify: Literal["changed", "always", "never"] = "changed",
        lock_wait: float = 0.0,
        upstream: bool = False,
        bundle: Paths = (),
        host_timeout: str | float = "4h",
        command_timeout: str | float = "1h",
        on_event: OnEvent | None = None,
    ) -> Report:
        """
        Bring the hosts to their settings, and prove it. There is no confirmation: to see the changes first, use `plan`.

        + strategy: canary, batches, failure limit
        + verify: which hosts make a proof: `changed` for those that changed or are not proven
        + lock_wait: seconds to wait for another run's lock
        + bundle: the file, or files, that everything comes from. Every byte is read first
        + host_timeout: for everything on one host; command_timeout: for a command that prints nothing. Seconds, or text
          such as `"20m"`

        Example: `fleet.apply(Strategy(canary="gpu-1", batch="25%"), on_event=print)`
        """
        if verify not in ("changed", "always", "never"):
            raise UsageError(f'`verify="{verify}"`: expected `changed`, `always` or `never`')
        if strategy.max_slowdown and verify == "never":
            raise UsageError("`max_slowdown` needs a proof, and `verify` is `never`", "leave out one of them")
        files = list_bundles(bundle, upstream)
        options = DeployOptions(verify=verify, max_slowdown=strategy.max_slowdown or "", bundle=files)
        request = self._request("apply", options, list_options(strategy), upstream=upstream)
        request = replace(
            request,
            strategy=make_rollout(strategy),
            lock_wait=lock_wait,
            host_timeout=to_seconds("host_timeout", host_timeout),
            command_timeout=to_seconds("command_timeout", command_timeout),
        )
        return self._workers.report(request, on_event)

    def rollback(
        self,
        *,
        to: Literal["current", "previous"] | None = None,
        lock_wait: float = 0.0,
        on_event: OnEvent | None = None,
    ) -> Report:
        """
        Restore the state of a release record.

        + to: the record; None for `previous` if the host is proven now, otherwise `current`
        + lock_wait: seconds to wait for another run's lock
        """
        if to not in ("current", "previous", None):
            raise UsageError(f'`to="{to}"`: expected `current`, `previous` or None')
        request = self._request("rollback", DeployOptions(rollback_to=to), (("--to", to),) if to else ())
        return self._workers.report(replace(request, lock_wait=lock_wait), on_event)

    def stop(self) -> None:
        """
        Interrupt what other threads do with this fleet: hosts finish their current step.

        Their calls return reports whose result is `interrupted`. A second `stop` aborts the steps.
        """
        self._workers.stop()

    def _request(
        self,
        action: Action,
        options: DeployOptions = DEFAULT_OPTIONS,
        typed: tuple[tuple[str, ...], ...] = (),
        *,
        upstream: bool = False,
    ) -> Request:
        """+ typed: the options of the command line that have the same effect, for hints"""
        typed += tuple(("--bundle", each) for each in options.bundle)
        line = replace(self._line, command=action, upstream=upstream, options=typed)
        return Request(action, line, self._data, options, self._code)


def _declare(hosts: Mapping[str, HostData] | Iterable[str]) -> dict[str, dict[str, Any]]:
    if isinstance(hosts, str):
        raise UsageError(f'`Fleet("{hosts}")`: expected several hosts', f'to load a target: `Fleet.load("{hosts}")`')
    if isinstance(hosts, Mapping):
        return {name: dict(own) for name, own in hosts.items()}
    return {name: {} for name in hosts}
