"""What is true of a host: read in one remote command, held as one typed value."""

from fleethands.facts.framing import ProbeError
from fleethands.facts.no_answer import ssh_command
from fleethands.facts.probe import Probe, Unknown, UnknownSection
from fleethands.facts.probe_cache import (
    cached_probe,
    get_probe,
    invalidate,
    is_refused,
    outdate,
    predict,
    predicted,
    probed_settings,
    refuse,
)

__all__ = [
    "Probe",
    "ProbeError",
    "Unknown",
    "UnknownSection",
    "cached_probe",
    "get_probe",
    "invalidate",
    "is_refused",
    "outdate",
    "predict",
    "predicted",
    "probed_settings",
    "refuse",
    "ssh_command",
]
