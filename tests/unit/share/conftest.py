"""Fixtures of the tests of shared downloads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.share.site import Host, make_hosts


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[Host]]:
    yield from make_hosts(tmp_path, 4)
