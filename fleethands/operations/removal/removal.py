"""Takes away what fleethands put on a host, and nothing else; models and workspaces only when they are named."""

from __future__ import annotations

from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT
from fleethands.facts.system import Accounts
from fleethands.operations.core.operation import Change, Decision, Same, operation, step
from fleethands.operations.ollama.service import LABEL
from fleethands.settings import HostSettings
from fleethands.settings.generations import GENERATIONS

OURS = b"# Written by fleethands"


def made(probe: Probe, kind: str, name: str) -> bool:
    """Whether this host's ledger says that fleethands made a thing there: an account, a directory or file, an image."""
    return f"{kind} {name}" in _ledger(probe)


def made_of(probe: Probe, kind: str) -> list[str]:
    """Names of all that this host's ledger has of one kind."""
    return [line.removeprefix(f"{kind} ") for line in _ledger(probe) if line.startswith(f"{kind} ")]


def unmade(probe: Probe, kind: str, name: str) -> Probe:
    """The host once its ledger does not say so any more."""
    lines = (line for line in _ledger(probe) if line != f"{kind} {name}")
    content = "".join(f"{line}\n" for line in lines).encode()
    return probe.with_file(paths.LEDGER, replace(probe.files[paths.LEDGER], content=content))


def _ledger(probe: Probe) -> list[str]:
    return (probe.files[paths.LEDGER].content or b"").decode(errors="replace").splitlines()


@operation
def images(settings: HostSettings, probe: Probe) -> Decision:
    """Have none of the images that were pulled for us, unless another container is made from them."""
    names = made_of(probe, "image")
    if not names or probe.docker.version is None:
        return Same("there is no image of ours" if not names else "Docker does not run, so its images stay")

    def then(probe: Probe) -> Probe:
        return probe.having(docker=replace(probe.docker, image=None, ollama_image=None))

    return Change(f"images {', '.join(names)}", "present", "gone", step("remove_images", images="\n".join(names)), then)


@operation
def ollama(settings: HostSettings, probe: Probe) -> Decision:
    """Have no Ollama of ours: neither its service nor its releases. Its models stay where they are."""
    links = {
        path: probe.files[path].kind == "link"
        for path in (paths.CURRENT, paths.BINARY)
        if probe.files[path].target.startswith((paths.CURRENT, *probe.releases))
    }
    texts = [path for path in (paths.OLLAMA_UNIT, paths.OLLAMA_OVERRIDE, paths.OLLAMA_SECRETS) if _is_ours(probe, path)]
    if not probe.releases and not links and not texts:
        return Same("there is no Ollama of ours")
    files = [*texts, *links]
    script = step(
        "remove_ollama",
        files="\n".join(files),
        unit="yes" if paths.OLLAMA_UNIT in texts else "no",
        container=paths.OLLAMA_CONTAINER,
        label=LABEL,
    )

    def then(probe: Probe) -> Probe:
        for path in (*files, paths.WANTED + paths.OLLAMA_SERVICE):
            probe = probe.with_file(path, ABSENT)
        return probe.having(releases={}, process=None)

    what = ", ".join(sorted(probe.releases)) or "files"
    return Change("Ollama", what, "gone", script, then, consequence="Ollama stops answering; its models stay")


def _is_ours(probe: Probe, path: str) -> bool:
    return (probe.files[path].content or b"").startswith(OURS)


@operation
def place(settings: HostSettings, probe: Probe, path: str) -> Decision:
    """
    Have a directory gone, with all it holds, or a file.

    + path: one that fleethands made; another one stays
    """
    if path in probe.files and probe.files[path].kind == "absent":
        return Same(f"{path} is not there")
    if not made(probe, "directory", path):
        return Same(f"{path} is nothing that fleethands made")
    script = step("remove_directory", path=path)
    consequence = "what it holds is lost"
    return Change(path, "present", "gone", script, lambda probe: probe.with_file(path, ABSENT), "", consequence)


@operation
def account(settings: HostSettings, probe: Probe, user: str, home: str, content: bool) -> Decision:
    """
    Have a user gone that fleethands made, and its home.

    + content: the home goes with all it holds; otherwise only if it is empty
    """
    if user not in probe.accounts.users:
        return Same(f"there is no user {user}")
    if not made(probe, "user", user):
        return Same(f"user {user} was there before fleethands, and stays")

    def then(probe: Probe) -> Probe:
        users = {name: each for name, each in probe.accounts.users.items() if name != user}
        return probe.having(accounts=Accounts(users, probe.accounts.groups)).with_file(home, ABSENT)

    script = step("remove_account", user=user, home=home, content="yes" if content else "no")
    consequence = f"{home} goes with it, and all it holds" if content else f"{home} goes with it, if it is empty"
    return Change(f"user {user}", "present", "gone", script, then, consequence=consequence)


@operation
def records(settings: HostSettings, probe: Probe, keep: tuple[str, ...]) -> Decision:
    """
    Have no record of ours.

    + keep: lines of the ledger whose things stay, so that a later removal still knows them
    """
    ledger = _ledger(probe)
    left = [line for line in ledger if line in keep]
    if probe.files[paths.RECORDS].kind == "absent" or (left and left == ledger and not _others(probe)):
        return Same("there is no record of ours" if not left else f"only the record of what stays: {', '.join(left)}")
    script = step("remove_records", keep="\n".join(left), ledger=paths.LEDGER)

    def then(predicted: Probe) -> Probe:
        if not left:
            return predicted.with_file(paths.RECORDS, ABSENT).with_file(paths.LEDGER, ABSENT)
        return predicted.with_file(paths.LEDGER, replace(probe.files[paths.LEDGER], content="\n".join(left).encode()))

    return Change(paths.RECORDS, "present", ", ".join(left) or "gone", script, then)


def _others(probe: Probe) -> bool:
    seeds = (each.seed_path for each in GENERATIONS.values())
    return any(probe.files[path].kind != "absent" for path in (paths.PROOF, paths.RECORD, *seeds))
