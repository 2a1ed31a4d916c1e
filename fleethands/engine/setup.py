"""How this process uses pyinfra: silent, with our connections, and without a question to a person."""

from __future__ import annotations

import logging
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pyinfra
import pyinfra.connectors.ssh_util
import pyinfra.connectors.util
from pyinfra.api.exceptions import ConnectError

from fleethands import streams
from fleethands.engine import pyinfra_speedups
from fleethands.ssh import client, transport


def prepare(project: Path) -> None:
    """
    Have pyinfra say nothing (a report says it all, once), tell operations apart by where they stand, and ask nobody:
    where it would ask a person for a password or about a key, a host can't be reached instead.

    + project: its tasks are found by their names
    """
    for name in ("paramiko", "pyinfra"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    os.environ["PYINFRA_PROGRESS"] = "off"
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    pyinfra.is_cli = True
    pyinfra_speedups.take()
    streams.use_limited_streams()
    transport.install()
    with suppress(ValueError, OSError):  # macOS has a limit below its limit
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection is a file
    pyinfra.connectors.ssh_util.getpass = _unasked
    pyinfra.connectors.util.getpass = _unasked
    client.install()


def _unasked(prompt: str = "") -> NoReturn:
    raise ConnectError(f"would ask: {prompt.strip().rstrip(':')}")
