"""What is true of a host: read by one remote command, kept as one typed value."""

from fleethands.facts.framing import ProbeError
from fleethands.facts.host_session import (
    cached_probe,
    foreign_changes,
    forget,
    get_probe,
    invalidate,
    pending_foreign_operations,
    predict,
    predicted,
    probed_settings,
    refuse,
)
from fleethands.facts.probe import Probe, Unknown, UnknownSection
from fleethands.facts.probe_failure import ssh_command

__all__ = [
    "Probe",
    "ProbeError",
    "Unknown",
    "UnknownSection",
    "cached_probe",
    "foreign_changes",
    "forget",
    "get_probe",
    "invalidate",
    "pending_foreign_operations",
    "predict",
    "predicted",
    "probed_settings",
    "refuse",
    "ssh_command",
]
