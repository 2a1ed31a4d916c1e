"""The lab of this checkout, up for the session; each test gets its hosts in a state that it names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, gateways, pages
from tests.lab.flavors import CANVAS, V1, answers
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.ollama_container import CONTAINER_SETTINGS, apply_settings
from tests.lab.prepare import ready, unfit

CONVERGED = "converged"
QUIET_STATE = "quiet"
CONTAINED = "contained"
GATEWAY = "gateway"
PAGE = "page"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if reason := unfit():
        pytest.fail(reason)
    # a lab of `make lab` stays as it is, and parallel test processes have one each
    os.environ["FLEETHANDS_LAB"] = f".lab/tests{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    here = Lab.here()
    ready(here, "lab-1", "lab-2", "lab-3")
    for name in here.running():
        here[name].restore("clean")
    yield here
    for state in (CONVERGED, QUIET_STATE, CONTAINED, GATEWAY, PAGE, "canvas", "v1"):
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


@pytest.fixture(scope="session")
def quiet_state(lab: Lab) -> str:
    """A state in which Ollama serves and is proven, without OpenHands: most of a run's time is OpenHands' part."""
    host = lab["lab-1"]
    host.restore("clean")
    lab.internet.clear_faults()
    run = fleet.apply("lab-1", **QUIET)
    assert run.code == 0, run.said
    host.save(QUIET_STATE)
    return QUIET_STATE


@pytest.fixture(scope="session")
def gateway_state(lab: Lab, quiet_state: str) -> str:
    """The same host, with a gateway in front of its Ollama."""
    host = lab["lab-1"]
    host.restore(quiet_state)
    shutil.rmtree(gateways.state_directory(lab), ignore_errors=True)
    gateways.state_directory(lab).mkdir()
    with host.outward():
        gateways.Gateway(host, gateways.state_directory(lab)).apply()
    host.save(GATEWAY)
    return GATEWAY


@pytest.fixture
def guarded(lab: Lab, gateway_state: str) -> Host:
    """lab-1, with a gateway."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(gateway_state)
    return host


@pytest.fixture(scope="session")
def page_state(lab: Lab, converged_state: str) -> str:
    """A host with OpenHands V0, and its page on the gateway."""
    host = lab["lab-1"]
    host.restore(converged_state)
    shutil.rmtree(pages.state_directory(lab), ignore_errors=True)
    pages.state_directory(lab).mkdir()
    with host.outward():
        pages.with_page(host, pages.state_directory(lab)).apply()
    host.save(PAGE)
    return PAGE


@pytest.fixture
def paged(lab: Lab, page_state: str) -> Host:
    """lab-1, with OpenHands V0 and its page on the gateway."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(page_state)
    answers(host)
    return host


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
def canvas_state(lab: Lab, converged_state: str) -> str:
    """The same host, gone over to Canvas."""
    return _gone_over(lab, converged_state, "canvas", CANVAS)


@pytest.fixture(scope="session")
def v1_state(lab: Lab, converged_state: str) -> str:
    """The same host, gone over to OpenHands V1."""
    return _gone_over(lab, converged_state, "v1", V1)


def _gone_over(lab: Lab, converged_state: str, name: str, data: dict[str, Any]) -> str:
    """Puts a user's file into the workspace. The product makes the state, and a second run changes nothing."""
    lab.internet.offer(name)
    host = lab["lab-1"]
    host.restore(converged_state)
    host.run("echo mine > /opt/openhands/workspace/notes; chown openhands: /opt/openhands/workspace/notes")
    code, done = fleet.fleethands("apply", timeout=500, **data)
    assert code == 0, fleet.trouble(done)
    code, again = fleet.fleethands("plan", **data)
    assert (code, fleet.changes(again)) == (0, []), again
    host.save(name)
    return name


@pytest.fixture
def canvas(lab: Lab, canvas_state: str) -> Host:
    """lab-1, where Canvas has taken the place of V0."""
    return _serving_again(lab, canvas_state, 8000)


@pytest.fixture
def v1(lab: Lab, v1_state: str) -> Host:
    """lab-1, where V1 has taken the place of V0."""
    return _serving_again(lab, v1_state, 3000)


def _serving_again(lab: Lab, state: str, port: int) -> Host:
    host = lab["lab-1"]
    host.restore(state)
    answers(host, f"localhost:{port}/ready")
    return host


@pytest.fixture
def serving(lab: Lab, quiet_state: str) -> Host:
    """lab-1, applied and proven with `openhands_flavor` off."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(quiet_state)
    return host


@pytest.fixture(scope="session")
def contained_state(lab: Lab) -> str:
    """A state in which Ollama serves from its container and is proven, without OpenHands."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore("clean")
    apply_settings(**CONTAINER_SETTINGS)
    host.save(CONTAINED)
    return CONTAINED


@pytest.fixture
def contained(lab: Lab, contained_state: str) -> Host:
    """lab-1, applied and proven with Ollama in its container."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(contained_state)
    host.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done", timeout=30)
    return host
