"""The Perl programs of a shared download. Each is one text, made of the files next to this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent


@cache
def relay() -> str:
    """Serves parts to the hosts of the site."""
    return _join("relay")


@cache
def ask_neighbors() -> str:
    """Takes a part from the neighbors."""
    return _join("pieces", "neighbors", "check_pieces", "ask_neighbors")


@cache
def hash_pieces() -> str:
    """Hashes a part while it comes from the internet."""
    return _join("pieces", "hash_pieces")


def _join(*names: str) -> str:
    return "".join((DIRECTORY / f"{name}.pl").read_text() for name in names)
