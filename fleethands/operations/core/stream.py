"""Bytes that the controller sends to a script while it runs."""

from __future__ import annotations

from typing import Protocol

from pyinfra.api.command import StringCommand


class Stream(Protocol):
    """What a script asks for while it runs."""

    def command(self, script: str) -> StringCommand:
        """
        The command that runs the script, and answers it.

        + script: as the host's shell takes it
        """
