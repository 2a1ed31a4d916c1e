"""
The first imports of a process that connects: gevent and pyinfra, without what a run seldom uses.

Imports take four fifths of a plan's CPU time. A third of that was for packages that paramiko and pyinfra import and
seldom call, and for 25 searches of all installed packages. tests/unit/test_start_up.py lists what a plan may not
import.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, UnionType
from typing import Any, Union, get_args, get_origin

SELDOM = {  # module → what paramiko 4 and pyinfra 3.10 use of it
    "invoke": ("run",),  # paramiko/config.py, `Match exec`
    "typeguard": ("TypeCheckError", "check_type"),  # pyinfra/api/util.py, `raise_if_bad_type`
    "packaging.markers": ("Marker",),  # pyinfra/api/config.py, REQUIRE_PACKAGES and REQUIRE_PYINFRA_VERSION
    "packaging.requirements": ("Requirement",),
    "packaging.specifiers": ("SpecifierSet",),
    "packaging.version": ("Version",),
}
YOUNG = (
    20_000  # new objects until Python searches for garbage; with its 700, that is a tenth of the time of all imports
)
BACKPORT = "importlib_metadata"  # pyinfra takes it where it is installed; the standard library has the same


def prepare_imports() -> None:
    """
    Patch the standard library for gevent, then import pyinfra.

    It comes before all other imports, because a module that was imported before holds the original functions. Calling
    it again changes nothing.
    """
    gc.set_threshold(YOUNG)
    with _one_search():
        importlib.import_module("gevent.monkey").patch_all()
        _import_pyinfra()


@contextmanager
def _one_search() -> Iterator[None]:
    """Search the installed packages for entry points once: gevent does it 25 times, pyinfra for each connector."""
    metadata: Any = importlib.import_module("importlib.metadata")
    search, found = metadata.entry_points, metadata.entry_points()
    metadata.entry_points = found.select
    try:
        yield
    finally:
        metadata.entry_points = search


def _import_pyinfra() -> None:
    if "pyinfra.api" in sys.modules:
        return
    with _stand_ins() as names:
        util: Any = importlib.import_module("pyinfra.api.util")
    if "typeguard" in names:
        util.check_type = _check_type


@contextmanager
def _stand_ins() -> Iterator[list[str]]:
    """Until the end of the block, each module of SELDOM has functions that import the real one when they are called."""
    modules: Any = {name: _stand_in(name) for name in SELDOM if name not in sys.modules}
    if BACKPORT not in sys.modules:
        modules[BACKPORT] = None  # its import fails
    sys.modules.update(modules)
    try:
        yield list(modules)
    finally:
        for name in modules:
            del sys.modules[name]


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    for each in SELDOM[name]:
        setattr(module, each, _Later(name, each))
    return module


class _Later:
    """A function or a class of a module that is imported by the first call."""

    def __init__(self, module: str, name: str) -> None:
        self._place = module, name

    def __call__(self, *words: Any, **options: Any) -> Any:
        module, name = self._place
        return getattr(importlib.import_module(module), name)(*words, **options)


def _check_type(value: object, kind: Any) -> Any:
    """typeguard's function of that name. Plain types need no typeguard."""
    plain = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if type(value) in plain:
        return value
    util: Any = importlib.import_module("pyinfra.api.util")
    typeguard: Any = importlib.import_module("typeguard")
    util.TypeCheckError, util.check_type = typeguard.TypeCheckError, typeguard.check_type
    return util.check_type(value, kind)
