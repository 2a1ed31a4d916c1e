"""What holds for every test."""

import signal
import sys

import pytest
from hypothesis import settings

settings.register_profile("shared", deadline=None)  # a machine that others use too is no defect of the code
settings.load_profile("shared")


def pytest_configure() -> None:
    """In a shell's background SIGINT is ignored, by all that tests start too; some of them are to be interrupted."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Whoever imports the engine patches the standard library for gevent, and the process that tests waits for ever."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey and monkey.is_module_patched("socket"):
        raise pytest.UsageError("a test module imports rollout/engine.py, target.py or watch.py: run it as a program")
