"""The error of a certificate or a private key."""

from __future__ import annotations

from fleethands.errors import FleethandsError


class TlsError(FleethandsError):
    """
    A certificate or a private key cannot be used. The message is a clause, such as `it has no certificate`.

    It never shows what is in the file.
    """
