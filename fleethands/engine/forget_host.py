"""Drops what a plan knows of a host with nothing left to do: a third of a MiB for each host."""

from __future__ import annotations

from typing import Any

from pyinfra.api import State

from fleethands import facts
from fleethands.engine.fleet_settings import FleetSettings
from fleethands.ssh.connection import forget_connection


def forget_host(state: State, host: Any, settings: FleetSettings) -> None:
    """
    Drop the operations, the probe and the closed connection of one host.

    + settings: still hide the secrets that the host was asked about
    """
    settings.note(facts.probed_settings(host))
    facts.forget(host)
    state.ops[host] = {}
    host.op_hash_order = []  # the order of operations then depends on the other hosts alone
    forget_connection(host)
