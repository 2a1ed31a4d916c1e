"""Prepares this process for pyinfra: no output of pyinfra's own, fleethands' connections, no questions to the user."""

from __future__ import annotations

import logging
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

import pyinfra

from fleethands.engine import pyinfra_patches


def prepare(project: Path) -> None:
    """
    Prepare this process. Calling it again changes nothing.

    pyinfra prints nothing, because the report has everything once. Where pyinfra would ask the user for a password or
    about a host key, the host is unreachable instead.

    + project: directory of the deploy files, which may import modules next to them
    """
    for name in ("paramiko", "pyinfra"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    os.environ["PYINFRA_PROGRESS"] = "off"
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    pyinfra.is_cli = True  # pyinfra then tells operations apart by the lines that call them
    pyinfra_patches.apply()
    _allow_many_files()


def _allow_many_files() -> None:
    """Each connection is an open file."""
    with suppress(ValueError, OSError):  # macOS reports a maximum that it does not accept
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
