"""
The first imports of a process that connects: gevent and pyinfra.

Imports take four fifths of a plan's CPU time. tests/unit/test_start_up.py lists what a plan may not import.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

# paramiko/config.py calls it for `Match exec`, which fleethands ignores (ssh/without_openssh.py). Its import is a tenth
# of a plan's CPU time.
SELDOM = "invoke"
# new objects until Python searches for garbage; with its 700, that is a tenth of the time of all imports
YOUNG = 20_000


def prepare_imports() -> None:
    """
    Patch the standard library for gevent, then import pyinfra.

    It comes before all other imports, because a module that was imported before holds the original functions. Calling
    it again changes nothing.
    """
    gc.set_threshold(YOUNG)
    with _one_search():
        importlib.import_module("gevent.monkey").patch_all()
        with _later(SELDOM):
            importlib.import_module("paramiko.config")
        importlib.import_module("pyinfra.api")


@contextmanager
def _one_search() -> Iterator[None]:
    """Search the installed packages for entry points once: gevent does it 25 times, pyinfra for each inventory."""
    metadata: Any = importlib.import_module("importlib.metadata")
    search, found = metadata.entry_points, metadata.entry_points()
    metadata.entry_points = found.select
    try:
        yield
    finally:
        metadata.entry_points = search


@contextmanager
def _later(name: str) -> Iterator[None]:
    """
    In the block, `import NAME` gives a module that imports the real one when an attribute of it is read.

    importlib.util.LazyLoader cannot put it off: in Python 3.11, the next `import` of the module loads it.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = stand_in = ModuleType(name)
    vars(stand_in)["__getattr__"] = lambda attribute: getattr(importlib.import_module(name), attribute)
    try:
        yield
    finally:
        del sys.modules[name]
