"""What is true of a host: read by one remote command, kept as one typed value."""

from fleethands.facts.framing import ProbeError
from fleethands.facts.host_session import (
    cached_probe,
    current_session,
    get_probe,
    invalidate_probe,
    is_refused,
    probed_settings,
)
from fleethands.facts.probe import Probe, Unknown, UnknownSection
from fleethands.facts.probe_failure import ssh_command

__all__ = [
    "Probe",
    "ProbeError",
    "Unknown",
    "UnknownSection",
    "cached_probe",
    "current_session",
    "get_probe",
    "invalidate_probe",
    "is_refused",
    "probed_settings",
    "ssh_command",
]
