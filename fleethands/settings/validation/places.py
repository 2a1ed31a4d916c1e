"""Directories that no setting may name, because the system, fleethands or another account uses them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from fleethands import paths
from fleethands.settings.expected import InvalidValue

ALLOWED = (
    "an absolute path, for example below `/srv`, `/mnt`, `/opt` or `/data`; "
    "not a directory of the system, of fleethands or in a home"
)
OF_SYSTEM = "which belongs to the system"
OF_FLEETHANDS = "which fleethands keeps for itself"
OF_DOCKER = "which belongs to Docker"
HOMES = "where home directories are: their owner could replace it with a symlink"
WORLD_WRITABLE = "where every account may write"
PACKAGES = "where packages keep their files"

# the state of each generation in the account's home (settings/generations.py)
STATES = tuple(f"{paths.OPENHANDS_STATE}{suffix}" for suffix in ("", "-v1", "-canvas", "-source", "-source-v0"))
# these and all directories below them, unless one in between is listed itself
CLOSED: Mapping[str, str] = {
    **dict.fromkeys(
        ("/bin", "/boot", "/dev", "/efi", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc"), OF_SYSTEM
    ),
    **dict.fromkeys(("/lost+found", "/root", "/run", "/sbin", "/snap", "/sys", "/usr", "/var"), OF_SYSTEM),
    **dict.fromkeys(("/dev/shm", "/tmp", "/var/tmp"), WORLD_WRITABLE),  # noqa: S108
    **dict.fromkeys(("/opt/cni", "/opt/containerd", paths.DOCKER_DATA, "/var/lib/containerd"), OF_DOCKER),
    **dict.fromkeys((paths.RELEASES, paths.OPENHANDS_HOME, paths.OPENHANDS_SOURCE, *STATES), OF_FLEETHANDS),
    **dict.fromkeys((paths.RECORDS, "/etc/fleethands", "/run/fleethands"), OF_FLEETHANDS),
    "/home": HOMES,
    "/var/lib": PACKAGES,
}
# only these themselves: each directory in them has its own owner
SHARED: Mapping[str, str] = {
    **dict.fromkeys(("/media", "/mnt", "/opt", "/srv", "/var/local", "/var/opt"), OF_SYSTEM),
}
MODELS: Mapping[str, str] = {paths.OLLAMA_HOME: "which is the home of the user ollama"}
WORKSPACE: Mapping[str, str] = {paths.OPENHANDS_HOME: OF_FLEETHANDS}


def check_models_dir(path: PurePosixPath) -> None:
    """Raises InvalidValue for a directory that may not hold models."""
    _check(path, {**SHARED, **MODELS}, ("/var/lib/ollama",), "/srv/ollama")


def check_workspace(path: PurePosixPath) -> None:
    """Raises InvalidValue for a directory that may not be a workspace."""
    _check(path, {**SHARED, **WORKSPACE}, ("/var/lib/openhands",), "/srv/workspace")


def _check(path: PurePosixPath, shared: Mapping[str, str], free: tuple[str, ...], example: str) -> None:
    for each in (path, *path.parents):
        place = str(each)
        if place in free or (place in shared and each != path):
            return
        if note := shared.get(place) or CLOSED.get(place):
            raise InvalidValue(f"a directory of its own, such as `{example}`", note)
