"""Whether users can reach the directories that will belong to them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.directories import Place
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.settings import HostSettings

HIDDEN = ("/home/", "/root/", "/run/user/")  # what ProtectHome= hides
OWNERLESS = frozenset({"exfat", "msdos"})  # file systems where the mount decides the owner of all files


@dataclass(frozen=True)
class GiveModels(HostScript, file="give_models"):
    """Gives Ollama the files of root below a directory."""

    path: str


def check_access(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse if a user could not reach its directory, or could not own it."""
    if not settings.manages_ollama:
        return _check_permissions(settings, probe)
    return _check_hidden(probe) or _check_permissions(settings, probe) or _check_file_system(settings, probe)


def _check_hidden(probe: Probe) -> Refused | None:
    """Refuse releases behind a symlink into a home directory, which the sandbox of the service hides."""
    leads = probe.directories.leads.get(paths.RELEASES, "")
    if not leads.startswith(HIDDEN):
        return None
    behind = leads.removesuffix("/ollama") if leads.endswith("/ollama") else leads
    link = "/opt" if behind != leads else paths.RELEASES
    mount = f"rm {link} && mkdir {link} && mount --bind {shlex.quote(behind)} {link}"
    return Refused(
        f"{paths.RELEASES} leads to {leads}, which Ollama's service does not see",
        (f"mount it in place of the link; on the host: {mount}", f"and in /etc/fstab: {behind} {link} none bind 0 0"),
    )


def _check_permissions(settings: HostSettings, probe: Probe) -> Refused | None:
    for path, place in probe.directories.barred.items():
        if place.account == "ollama" and (not settings.manages_ollama or _is_served(settings, probe)):
            continue
        hints = [f"on the host: chmod o+x {shlex.quote(place.path)}"]
        if path == str(settings.ollama_models_dir):
            hints.append("or declare another `ollama_models_dir`")
        return Refused(
            f"the user {place.account} may not enter {_describe(place)}, and {path} is below it", tuple(hints)
        )
    return None


def _is_served(settings: HostSettings, probe: Probe) -> bool:
    """Whether our Ollama answers with these models: then it can reach them, for example by a group from a drop-in."""
    process = probe.process
    declared = settings.ollama_environment.get("OLLAMA_MODELS")
    answers = probe.knows("ollama") and probe.ollama.version is not None
    return answers and process is not None and process.environment.get("OLLAMA_MODELS") == declared


def _check_file_system(settings: HostSettings, probe: Probe) -> Refused | None:
    path = settings.ollama_models_dir
    space = probe.disk.get(str(path))
    if path is None or space is None or space.kind not in OWNERLESS:
        return None
    state = probe.files[str(path)]
    if state.kind == "directory" and state.owner.partition(":")[0] == "ollama":
        return None
    return Refused(
        f"{path} is on a file system without owners ({space.kind}), so it can't be given to ollama",
        ("declare an `ollama_models_dir` on a disk of Linux's, or mount this one with uid=ollama,gid=ollama",),
    )


def _describe(place: Place) -> str:
    return f"{place.path} ({place.owner} {place.mode})"


@operation
def own_models(settings: HostSettings, probe: Probe) -> Decision:
    """Give Ollama the models that root copied into its store."""
    kept = probe.directories.kept
    if kept is None:
        return Unchanged("Ollama can write all of its models")
    path = f"{probe.home}/.ollama" if settings.ollama_models_dir is None else str(settings.ollama_models_dir)
    owner = kept.owner.partition(":")[0]
    if owner != "root":
        command = f"chown -R --from={owner} ollama: {shlex.quote(path)}"
        note = f"Ollama can't write {_describe(kept)}: pulls may end with `permission denied`; on the host: {command}"
        return Unchanged(f"{kept.path} is another account's", (note,))
    return Change(
        path,
        f"{kept.path} belongs to {kept.owner}",
        "with all it holds of ollama",
        GiveModels(path).script,
        lambda probe: probe.replace(directories=replace(probe.directories, kept=None)),
        why="Ollama can't write there: a pull would end with `permission denied`",
    )
