"""A small bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleethands.bundle.bundle import Bundle
from tests.helpers import bundles

Write = Callable[..., Bundle]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a bundle of some contents."""

    def write(contents: tuple[bytes, ...] = bundles.CONTENTS, name: str = "fleet.bundle", **options: str) -> Bundle:
        return bundles.write(tmp_path / name, contents, **options)  # type: ignore[arg-type]

    return write
