"""What holds for every test."""

import signal
import sys

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

settings.register_profile("shared", deadline=None)  # a machine that others use too is no defect of the code
settings.load_profile("shared")


# tests that begin where Canvas runs: to bring a lab there takes two minutes, so one of those side by side has them all
CANVAS = {f"tests/lab/test_{each}.py" for each in ("browser", "flavors", "secrets", "tunnel")}


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """Who of those side by side gets which tests: a file's stay together, and those of the files above."""
    scheduler = LoadFileScheduling(config, log)
    file_of = scheduler._split_scope

    def group_of(test: str) -> str:
        file = file_of(test)
        return "canvas" if file in CANVAS else "install" if file.startswith("tests/install/") else file

    scheduler._split_scope = group_of  # tests of installations share one release
    return scheduler


def pytest_configure() -> None:
    """In a shell's background SIGINT is ignored, by all that tests start too; some of them are to be interrupted."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_patched() -> bool:
    """Whether the standard library is patched for gevent; then pytest's own process hangs."""
    monkey = sys.modules.get("gevent.monkey")
    return bool(monkey and monkey.is_module_patched("socket"))


def pytest_collection_finish() -> None:
    """An import of the engine patches the standard library."""
    if is_patched():
        raise pytest.UsageError("a test module imports engine/engine.py or engine/monitor.py: run it as a program")


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """So does a command that a unit test runs in this process."""
    if is_patched() and item.nodeid.startswith("tests/unit/"):
        pytest.exit(f"{item.nodeid} runs a command in this process: run it as a program", returncode=1)
