"""A host whose metrics are collected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.operations.metrics.collector import ANSWERS, Collector, StandInOllama


@pytest.fixture
def ollama() -> Iterator[StandInOllama]:
    server = StandInOllama(ANSWERS)
    yield server
    server.close()


@pytest.fixture
def collector(tmp_path: Path, ollama: StandInOllama) -> Collector:
    made = Collector(tmp_path, ollama.url)
    made.stand_in("nvidia-smi", "exit 9")
    return made
