"""The sandboxes that V1 started beside its own container, which it leaves running when it goes."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import disown, managed
from fleethands.operations.core.proof_record import is_proven
from fleethands.operations.firewall.firewall import has_sandboxes
from fleethands.settings import HostSettings

KIND = "sandbox"


@operation
def remove(settings: HostSettings, probe: Probe, always: bool = False) -> Decision:
    """
    Have no sandbox of a V1 that is not there any more, and can't come back.

    + always: whatever is declared
    """
    images = managed(probe, KIND)
    if not images:
        return Unchanged("no V1 of ours was here, so there is no sandbox of one")
    if not always and has_sandboxes(settings):
        return Unchanged("V1 is declared, and its sandboxes are its own")
    if not always and not is_proven(settings, probe):
        return Unchanged("its sandboxes stay until what is declared is proven")
    if probe.docker.version is None:
        return Unchanged("Docker does not run, and no sandbox does")

    def predict(probe: Probe) -> Probe:
        for image in images:
            probe = disown(probe, KIND, image)
        return probe

    return Change(
        f"sandboxes of {', '.join(images)}",
        "of a V1 that was here",
        "gone",
        step("sandboxes_off", images="\n".join(images)),
        predict,
        why="V1 leaves them running, and what they publish open",
        consequence="conversations of V1 that are under way end; the workspace stays",
        keeps_proof=True,
    )
