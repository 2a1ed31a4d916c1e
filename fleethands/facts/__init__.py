"""What is true of a host: read in one remote command, held as one typed value."""

from fleethands.facts.no_answer import ssh
from fleethands.facts.observed import asked_for, current, foresee, foreseen, forget, is_refused, last, outdate, refuse
from fleethands.facts.probe import Probe, Unknown, UnknownSection
from fleethands.facts.protocol import ProbeError

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
