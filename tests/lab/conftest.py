"""The lab of this checkout, up for the session; each test gets its hosts in a state that it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.prepare import ready, unfit

CONVERGED = "converged"
OLLAMA = "ollama"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if reason := unfit():
        pytest.fail(reason)
    os.environ["FLEETHANDS_LAB"] = ".lab/tests"  # a lab that somebody works with stays as it is
    here = Lab.here()
    ready(here, "lab-1", "lab-2", "lab-3")
    for name in here.running():
        here[name].restore("clean")
    yield here
    for state in (CONVERGED, OLLAMA):
        here.drop_state(state)
    here.down()


@pytest.fixture(scope="session")
def converged_state(lab: Lab) -> str:
    """A state in which everything is applied and proven, by the product itself."""
    host = lab["lab-1"]
    host.restore("clean")
    run = fleet.apply("lab-1")
    assert run.code == 0, run.said
    host.save(CONVERGED)
    return CONVERGED


@pytest.fixture
def clean(lab: Lab) -> Host:
    """lab-1, as Debian left it."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore("clean")
    return host


@pytest.fixture
def converged(lab: Lab, converged_state: str) -> Host:
    """lab-1, applied and proven."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(converged_state)
    return host


@pytest.fixture(scope="session")
def ollama_state(lab: Lab) -> str:
    """A state in which Ollama serves one small model, and OpenHands is off: most of a run's time is OpenHands' part."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore("clean")
    run = fleet.apply("lab-1", openhands_flavor="off")
    assert run.code == 0, run.said
    host.save(OLLAMA)
    return OLLAMA


@pytest.fixture
def serving(lab: Lab, ollama_state: str) -> Host:
    """lab-1, applied and proven with `openhands_flavor` off."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(ollama_state)
    return host


@pytest.fixture(scope="session")
def every_image(lab: Lab) -> None:
    """OpenHands V1 and Canvas are in the lab's registry, too."""
    lab.internet.offer("v1", "canvas")
