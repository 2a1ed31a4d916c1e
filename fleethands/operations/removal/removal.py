"""Removes what fleethands put on a host, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT
from fleethands.facts.system import Accounts
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import is_managed, managed, manifest
from fleethands.settings import HostSettings
from fleethands.settings.generations import GENERATIONS


@dataclass(frozen=True)
class RemoveImages(HostScript, file="remove_images", parts=("image_records",)):
    """Removes images, one a line, that no other container is made from."""

    images: str


@dataclass(frozen=True)
class RemoveDirectory(HostScript, file="remove_directory"):
    """Removes a directory with its content."""

    path: str


@dataclass(frozen=True)
class RemoveAccount(HostScript, file="remove_account"):
    """
    Removes a user and its home.

    + content: the home goes with its content; otherwise only if it is empty
    """

    user: str
    home: str
    content: bool


@dataclass(frozen=True)
class RemoveRecords(HostScript, file="remove_records"):
    """
    Removes the records of a host.

    + keep: lines of the ownership manifest to keep
    """

    keep: str


@operation
def remove_images(settings: HostSettings, probe: Probe) -> Decision:
    """Remove the images that fleethands pulled, unless another container is made from them."""
    names = managed(probe, "image")
    if not names or probe.docker.version is None:
        return Unchanged("no image is managed" if not names else "Docker does not run, so its images stay")

    def predict(probe: Probe) -> Probe:
        return probe.replace(docker=replace(probe.docker, image=None, ollama_image=None))

    return Change(f"images {', '.join(names)}", "present", "removed", RemoveImages("\n".join(names)).script, predict)


@operation
def remove_path(settings: HostSettings, probe: Probe, path: str) -> Decision:
    """
    Remove a directory with its content, or a file.

    + path: it stays if fleethands did not create it
    """
    if path in probe.files and probe.files[path].kind == "absent":
        return Unchanged(f"there is no {path}")
    if not is_managed(probe, "directory", path):
        return Unchanged(f"{path} stays: fleethands did not create it")
    script = RemoveDirectory(path).script
    consequence = "its content is lost"
    return Change(path, "present", "removed", script, lambda probe: probe.with_file(path, ABSENT), "", consequence)


@operation
def remove_account(settings: HostSettings, probe: Probe, user: str, home: str, content: bool) -> Decision:
    """
    Remove a user that fleethands created, and its home.

    + content: remove the home with its content; otherwise only an empty home
    """
    if user not in probe.accounts.users:
        return Unchanged(f"there is no user {user}")
    if not is_managed(probe, "user", user):
        return Unchanged(f"user {user} stays: fleethands did not create it")

    def predict(probe: Probe) -> Probe:
        users = {name: each for name, each in probe.accounts.users.items() if name != user}
        return probe.replace(accounts=Accounts(users, probe.accounts.groups)).with_file(home, ABSENT)

    script = RemoveAccount(user, home, content).script
    consequence = f"removes {home} with its content" if content else f"removes {home} if it is empty"
    return Change(f"user {user}", "present", "removed", script, predict, consequence=consequence)


@operation
def remove_records(settings: HostSettings, probe: Probe, keep: tuple[str, ...]) -> Decision:
    """
    Remove the records of fleethands.

    + keep: lines of the ownership manifest whose things stay, so that a later removal knows them
    """
    lines = manifest(probe)
    left = [line for line in lines if line in keep]
    if probe.files[paths.RECORDS].kind == "absent" or (left and left == lines and not _has_other_records(probe)):
        return Unchanged(
            "there is no record of fleethands" if not left else f"only the manifest of what stays: {', '.join(left)}"
        )
    script = RemoveRecords(keep="\n".join(left)).script

    def predict(predicted: Probe) -> Probe:
        predicted = predicted.with_file(paths.KEPT_PARTS, ABSENT)
        if not left:
            return predicted.with_file(paths.RECORDS, ABSENT).with_file(paths.OWNERSHIP_MANIFEST, ABSENT)
        return predicted.with_file(
            paths.OWNERSHIP_MANIFEST, replace(probe.files[paths.OWNERSHIP_MANIFEST], content="\n".join(left).encode())
        )

    return Change(paths.RECORDS, "present", ", ".join(left) or "removed", script, predict)


def _has_other_records(probe: Probe) -> bool:
    seeds = (each.seed_path for each in GENERATIONS.values())
    others = (paths.PROOF, paths.CURRENT_RECORD, paths.KEPT_PARTS, *seeds)
    return any(probe.files[path].kind != "absent" for path in others)
