"""A foreign container of OpenHands' name, or a foreign unit of its service's name."""

from __future__ import annotations

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import SPEC_LABEL
from fleethands.operations.core.decision import Refused
from fleethands.operations.core.ownership import HEADER
from fleethands.settings import HostSettings

_KEPT = "openhands-mine.service"


def has_foreign_container(probe: Probe) -> bool:
    """Whether a container of that name exists that fleethands did not create."""
    container = probe.docker.container
    return container is not None and SPEC_LABEL not in container.labels


def has_foreign_unit(probe: Probe) -> bool:
    """Whether a unit of that name exists that fleethands did not write. fleethands never writes a symlink there."""
    unit = probe.files[paths.OPENHANDS_UNIT]
    return unit.kind != "absent" and not (unit.content or b"").startswith(HEADER)


def check_conflicts(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why OpenHands cannot replace a foreign container or unit; None if it need not, or may."""
    if has_foreign_container(probe) and not settings.openhands_adopt:
        return Refused(
            f"a container named {paths.CONTAINER} is there that fleethands did not make",
            (
                "declare `openhands_adopt`: True; fleethands then stops and keeps it, and starts its own container",
                f"or give it another name on the host: docker rename {paths.CONTAINER} {paths.CONTAINER}-mine",
            ),
        )
    if has_foreign_unit(probe):
        moved = f"mv {paths.OPENHANDS_UNIT} {paths.UNITS}{_KEPT} && systemctl daemon-reload"
        return Refused(
            f"{paths.OPENHANDS_UNIT} is there, which fleethands did not write",
            (f"stop it and give it another name on the host: systemctl disable --now openhands; {moved}",),
        )
    return None


def adoption_impact(probe: Probe) -> str:
    """What happens to a foreign container; empty if there is none."""
    if not has_foreign_container(probe):
        return ""
    kept = f"{paths.CONTAINER}-adopted"
    return f"the foreign {paths.CONTAINER} is stopped, and kept as {kept} once fleethands' own is proven"
