"""Why no figure can be given for a model."""

from __future__ import annotations


class HeaderError(ValueError):
    """A file whose header can't be read."""


class NotCovered(ValueError):
    """A shape or a release that the formulas are not known to be right for."""
