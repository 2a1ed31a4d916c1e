"""
Puts Ollama and OpenHands on hosts over SSH, and proves that a prompt gets an answer.

The names below are the Python API: docs/guides/python.md. They are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fleethands.api.errors import Interrupted, WorkerDied
    from fleethands.api.events import (
        Event,
        HostDoneEvent,
        PhaseEvent,
        PullEvent,
        RemarkEvent,
        StepEvent,
        WarningEvent,
    )
    from fleethands.api.fleet import Fleet
    from fleethands.api.strategy import Strategy
    from fleethands.errors import FleethandsError, Problem, UsageError
    from fleethands.operations.core.proof_record import Link
    from fleethands.report.model import ChangeReport, HostReport, Report, Result, Status
    from fleethands.report.step import Step
    from fleethands.settings.host import HostSettings
    from fleethands.settings.validation.errors import InvalidSetting, SettingsError
    from fleethands.settings.values.secret import Secret
    from fleethands.speed import Speed

__all__ = [
    "ChangeReport",
    "Event",
    "Fleet",
    "FleethandsError",
    "HostDoneEvent",
    "HostReport",
    "HostSettings",
    "Interrupted",
    "InvalidSetting",
    "Link",
    "PhaseEvent",
    "Problem",
    "PullEvent",
    "RemarkEvent",
    "Report",
    "Result",
    "Secret",
    "SettingsError",
    "Speed",
    "Status",
    "Step",
    "StepEvent",
    "Strategy",
    "UsageError",
    "WarningEvent",
    "WorkerDied",
]
_PLACES = {
    "api.errors": ("Interrupted", "WorkerDied"),
    "api.events": (
        "Event",
        "HostDoneEvent",
        "PhaseEvent",
        "PullEvent",
        "RemarkEvent",
        "StepEvent",
        "WarningEvent",
    ),
    "api.fleet": ("Fleet",),
    "api.strategy": ("Strategy",),
    "errors": ("FleethandsError", "Problem", "UsageError"),
    "operations.core.proof_record": ("Link",),
    "report.model": ("ChangeReport", "HostReport", "Report", "Result", "Status"),
    "report.step": ("Step",),
    "settings.host": ("HostSettings",),
    "settings.validation.errors": ("InvalidSetting", "SettingsError"),
    "settings.values.secret": ("Secret",),
    "speed": ("Speed",),
}


def __getattr__(name: str) -> Any:
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"fleethands.{module}"), name)
    raise AttributeError(f"module `fleethands` has no attribute `{name}`")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
