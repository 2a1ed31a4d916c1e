"""What is true of a host: read in one remote command, held as one typed value."""

from fleethands.facts.framing import ProbeError
from fleethands.facts.no_answer import ssh
from fleethands.facts.probe import Probe, Unknown, UnknownSection
from fleethands.facts.probe_cache import (
    asked_for,
    current,
    foresee,
    foreseen,
    forget,
    is_refused,
    last,
    outdate,
    refuse,
)

__all__ = [
    "Probe",
    "ProbeError",
    "Unknown",
    "UnknownSection",
    "asked_for",
    "current",
    "foresee",
    "foreseen",
    "forget",
    "is_refused",
    "last",
    "outdate",
    "refuse",
    "ssh",
]
