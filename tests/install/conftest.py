"""What these tests share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.install.clones import Clone


@dataclass(frozen=True)
class Released:
    """A release, and the clone that it was built from."""

    clone: Clone
    dist: Path

    def file(self, pattern: str) -> Path:
        """The only file of this pattern."""
        (found,) = self.dist.glob(pattern)
        return found


@pytest.fixture(scope="session")
def releasable(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Copy this clone before a test changes it."""
    return Clone.of_checkout(tmp_path_factory.mktemp("releasable") / "clone")


@pytest.fixture
def clone(releasable: Clone, tmp_path: Path) -> Clone:
    """A clone for one test."""
    return releasable.copy(tmp_path / "clone")


@pytest.fixture(scope="session")
def released(releasable: Clone, tmp_path_factory: pytest.TempPathFactory) -> Released:
    """What `make release` writes."""
    clone = releasable.copy(tmp_path_factory.mktemp("released") / "clone")
    done = clone.release()
    assert done.returncode == 0, done.stdout + done.stderr
    return Released(clone, clone.root / "dist")
