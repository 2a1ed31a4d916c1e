"""The key by which this process knows the lines of its own scripts that ask for a confirmation."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from fleethands.operations.core import lock_token

_SECRET = secrets.token_bytes(16)  # of this process


def key_of(name: str) -> str:
    """The key of a host, by its name: a rollback within a run has new host objects. 16 hexadecimal digits."""
    return hmac.new(_SECRET, name.encode(), "sha256").hexdigest()[:16]


def key_for_scripts(host: Any) -> str:
    """
    What the scripts of a host print with a change that waits for a new SSH connection.

    It is empty where no such connection is made: for a host without a lock, and for one that is not reached by SSH.
    """
    is_remote = getattr(host.connector, "client", None) is not None
    return key_of(host.name) if lock_token.token(host) and is_remote else ""
