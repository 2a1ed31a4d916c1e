"""The sandboxes of V1, which keep running when V1 stops."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import disown, managed
from fleethands.operations.core.proof_record import is_proven
from fleethands.settings import HostSettings
from fleethands.settings.openhands import has_sandboxes

KIND = "sandbox"


@dataclass(frozen=True)
class RemoveSandboxes(HostScript, file="sandboxes_off", parts=("containers", "openhands")):
    """Removes the sandboxes that our V1 started from these images, one a line."""

    images: str


@operation
def remove(settings: HostSettings, probe: Probe, always: bool = False) -> Decision:
    """
    Remove the sandboxes of a V1 that was replaced, once it can no longer be restored.

    + always: even if V1 is declared, for an uninstall
    """
    images = managed(probe, KIND)
    if not images:
        return Unchanged("fleethands never ran V1 here, so it has no sandboxes")
    if not always and has_sandboxes(settings):
        return Unchanged("V1 is declared, and its sandboxes are its own")
    if not always and not is_proven(settings, probe):
        return Unchanged("its sandboxes stay until the new state is proven")
    if probe.docker.version is None:
        return Unchanged("Docker does not run, so no sandbox does")

    def predict(probe: Probe) -> Probe:
        for image in images:
            probe = disown(probe, KIND, image)
        return probe

    return Change(
        f"sandboxes of {', '.join(images)}",
        "of a V1 that was here",
        "gone",
        RemoveSandboxes("\n".join(images)).script,
        predict,
        why="V1 leaves them running, and what they publish open",
        consequence="conversations of V1 that are under way end; the workspace stays",
        keeps_proof=True,
    )
