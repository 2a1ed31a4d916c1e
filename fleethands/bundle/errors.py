"""The error of a bundle that cannot be created, read or used."""

from __future__ import annotations

from fleethands.errors import FleethandsError


class BundleError(FleethandsError):
    """A bundle cannot be created, read or used; the message names its file."""
