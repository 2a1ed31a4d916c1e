"""Runs a deploy file as pyinfra's command line does (3.10, pyinfra_cli/util.py, `exec_file`), without importing it."""

from __future__ import annotations

import importlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import CodeType

import gevent  # type: ignore[import-untyped]
from pyinfra.api import State

TASKS = (
    "preflight", "bundle", "docker", "firewall", "ollama", "models", "openhands", "gateway", "metrics", "proof",
    "sentinel", "sharing",
)  # fmt: skip
SOON = 0.001  # seconds, after which the first connection waits for its host


def run_deploy_file(state: State, filename: str) -> None:
    """
    Run a deploy file for the host of pyinfra's context. Each file is compiled once.

    Raises what the file raises, SyntaxError and OSError.
    """
    before = state.current_exec_filename
    state.current_exec_filename = filename
    try:
        exec(_compile_file(filename), {"__file__": filename})  # noqa: S102  the user's own program
    finally:
        state.current_exec_filename = before


@cache
def _compile_file(filename: str) -> CodeType:
    return compile(Path(filename).read_text(encoding="utf-8"), filename, "exec")


def import_tasks_soon() -> None:
    """Import what deploy files call, while this process waits for the first hosts to answer."""
    gevent.spawn_later(SOON, _import_tasks)


def _import_tasks() -> None:
    with suppress(Exception):  # the deploy file imports them again, and reports what is wrong
        for name in TASKS:
            importlib.import_module(f"fleethands.tasks.{name}")
