"""The error of an archive of packages."""

from __future__ import annotations

from fleethands.errors import FleethandsError


class ArchiveError(FleethandsError):
    """A mirror cannot be used: it does not answer, its signature is not valid, or it lacks a package."""
