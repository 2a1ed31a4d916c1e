"""Evaluates a deploy file for one host."""

from __future__ import annotations

from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api import Config, State
from pyinfra.context import ctx_config, ctx_host

from fleethands.engine.connection_monitor import ConnectionMonitor
from fleethands.engine.deploy_code import run_deploy_file
from fleethands.engine.deploy_failure import explain_deploy_failure
from fleethands.ssh.timeouts import HostTimeout
from fleethands.text.format import format_duration


class HostPlanner:
    """
    Makes the plans of one pyinfra state.

    + probed: hosts whose plan is complete, or failed
    """

    def __init__(self, state: State, config: Config, monitor: ConnectionMonitor) -> None:
        self.probed: set[str] = set()
        self._state, self._config, self._monitor = state, config, monitor

    def plan_host(self, host: Any) -> None:
        """
        Run the state's current deploy file, whose operations decide and change nothing.

        It raises nothing: `monitor.probe_failures` has the reason of a host that cannot be planned.
        """
        ctx_config.set(self._config.copy())
        ctx_host.set(host)
        limit = self._monitor.limits.host
        filename = str(self._state.current_deploy_filename)
        try:
            with gevent.Timeout(limit, HostTimeout(f"not read within {format_duration(limit)}")):
                run_deploy_file(self._state, filename)
        except (Exception, HostTimeout) as error:  # it must not stop the other hosts
            self._monitor.probe_failures.setdefault(host.name, explain_deploy_failure(error, filename))
        self.probed.add(host.name)
