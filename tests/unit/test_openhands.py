"""The container's specification, as a value."""

from __future__ import annotations

import pytest

from fleethands.operations.openhands import specification
from tests.hosts import declared


@pytest.mark.parametrize(("bind", "published"), [("127.0.0.1", "127.0.0.1:3000:3000"), ("::1", "[::1]:3000:3000")])
def test_the_page_is_published_as_docker_reads_it(bind: str, published: str) -> None:
    arguments = specification(declared(openhands_bind=bind), 1000).arguments

    assert arguments[arguments.index("--publish") + 1] == published
