"""Users, directories and files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.system import Account, Accounts
from fleethands.operations.core import diff
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.system.access import OWNERLESS
from fleethands.settings import HostSettings


@dataclass(frozen=True)
class CreateUser(HostScript, file="create_user"):
    """
    Creates a system user without a login, and adds it to groups.

    + groups: names with blanks between them
    + roots_home: the home belongs to root
    """

    name: str
    home: str
    groups: str
    roots_home: bool


@dataclass(frozen=True)
class CreateDirectory(HostScript, file="create_directory"):
    """Creates a directory, and sets its owner and mode; None keeps them."""

    path: str
    owner: str | None
    mode: str | None


@dataclass(frozen=True)
class WriteFile(HostScript, file="write_file"):
    """Writes a file as a whole."""

    path: str
    mode: str
    owner: str
    content: str


@dataclass(frozen=True)
class RemoveFile(HostScript, file="remove_file"):
    """Removes a file."""

    path: str


@operation
def create_user(
    settings: HostSettings,
    probe: Probe,
    user: str,
    home: str,
    groups: tuple[str, ...] = (),
    roots_home: bool = False,
) -> Decision:
    """
    Create a system user without a login.

    + groups: the user joins those that exist on the host
    + roots_home: the home belongs to root, because root creates directories in it
    """
    account = probe.accounts.users.get(user)
    if account is not None and account.uid == 0:
        return Refused(f"the user {user} is root by another name", ("give that user a UID of its own",))
    wanted = frozenset(groups) & probe.accounts.groups
    missing = wanted - (account.groups if account else frozenset())
    exposed = roots_home and user != "root" and probe.files[home].owner.partition(":")[0] == user
    if account is not None and not missing and not exposed:
        return Unchanged(f"user {user} exists")

    def predict(probe: Probe) -> Probe:
        now = account or Account(-1, -1, home, frozenset({user}))
        users = {**probe.accounts.users, user: replace(now, groups=now.groups | missing)}
        if exposed or probe.files.get(home) == ABSENT:
            owner = "root:root" if roots_home else f"{user}:{user}"
            probe = probe.with_file(home, File("directory", "0755", owner=owner))
        return probe.replace(accounts=Accounts(users, probe.accounts.groups))

    script = CreateUser(user, home, " ".join(sorted(missing)), roots_home).script
    before = "absent" if account is None else f"not in {', '.join(sorted(missing))}" if missing else f"owns {home}"
    why = "root makes directories in it, and its owner could put links in their place" if exposed else ""
    return Change(f"user {user}", before, "present", script, predict, why=why, place=Place.WITHIN)


@operation
def create_directory(settings: HostSettings, probe: Probe, path: str, owner: str | None, mode: str | None) -> Decision:
    """
    Create a directory, or correct its owner and mode. Its content stays.

    + owner: `user:group`; None: keep the owner, and give a new directory to root
    + mode: octal, four digits; None: keep the mode
    """
    state = probe.files.get(path, ABSENT)
    space = probe.disk.get(path)
    if space is not None and space.kind in OWNERLESS:
        mode = state.mode or None  # the mount decides
    if state.kind == "directory" and owner in (None, state.owner) and mode in (None, state.mode):
        return Unchanged(f"{path} belongs to {state.owner}")
    before = f"{state.kind} {state.owner} {state.mode}".strip()
    script = CreateDirectory(path, owner, mode).script
    whose = (-1, -1) if owner else (state.uid, state.gid)
    wanted = File("directory", mode or state.mode or "0755", *whose, owner=owner or state.owner)
    after = " ".join(filter(None, ("directory", owner, mode)))
    return Change(path, before, after, script, lambda probe: probe.with_file(path, wanted), place=Place.WITHIN)


@operation
def write_file(
    settings: HostSettings,
    probe: Probe,
    path: str,
    content: str | None,
    mode: str = "0644",
    owner: str = "root:root",
    shown: frozenset[str] | None = None,
) -> Decision:
    """
    Write a file as a whole, with its owner and mode.

    + content: a text with a secret needs mode 0600; None: remove the file
    + shown: names of its variables that a diff may show; None: all
    """
    state = probe.files.get(path, ABSENT)
    if content is None:
        return _remove_file(path, state)
    wanted = File("file", mode, owner=owner, content=content.encode(errors="surrogateescape"))
    if state.kind == "file" and (state.content, state.mode, state.owner) == (wanted.content, mode, owner):
        return Unchanged(f"{path} is as declared")
    return Change(
        path,
        _summary(state),
        _summary(wanted),
        WriteFile(path, mode, owner, content).script,
        lambda probe: _predict_unit(probe.with_file(path, wanted), path),
        diff=diff.unified_diff(path, state, wanted, shown),
        place=Place.WITHIN,
    )


def _remove_file(path: str, state: File) -> Decision:
    if state.kind == "absent":
        return Unchanged(f"there is no {path}, and none is needed")
    script = RemoveFile(path).script
    return Change(
        path, _summary(state), "removed", script, lambda probe: probe.with_file(path, ABSENT), place=Place.WITHIN
    )


def _predict_unit(probe: Probe, path: str) -> Probe:
    """The probe after systemd has reloaded a unit; a symlink decides whether the unit starts at boot."""
    if not path.startswith(paths.UNITS):
        return probe
    name = path.removeprefix(paths.UNITS).partition("/")[0].removesuffix(".d")
    if (unit := probe.units.get(name)) is None:
        return probe
    enabled = "enabled" if probe.files[paths.BOOT_UNITS + name].kind == "link" else "disabled"
    return probe.replace(units={**probe.units, name: replace(unit, need_reload=False, enabled=enabled)})


def _summary(state: File) -> str:
    if state.kind != "file":
        return state.kind
    if not state.is_public:  # a digest would help to guess a secret
        return f"{state.owner} {state.mode}"
    digest = hashlib.sha256(state.content or b"").hexdigest()[:12]
    return f"{digest} {state.owner} {state.mode}"
