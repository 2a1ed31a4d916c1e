"""Runs the gateway by its files, and removes it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core.decision import Change, Decision, Place, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import disown, is_managed
from fleethands.settings import HostSettings
from fleethands.settings.gateway import connect_to, gateway_url
from fleethands.settings.values.names import ListenAddress

# what a running gateway has read: a reload is enough for these, and a unit needs a restart
READ = (
    paths.GATEWAY_CONFIG, paths.GATEWAY_TOKENS, paths.GATEWAY_CERTIFICATE, paths.GATEWAY_KEY,
    paths.GATEWAY_BACKENDS, paths.GATEWAY_TRUST,
    paths.GATEWAY_PEOPLE, paths.GATEWAY_SESSIONS,  # only with OpenHands' page
)  # fmt: skip
FILES = (*READ, paths.GATEWAY_UNIT)
MASK = ("mask", "nginx.service")  # what install_packages.sh wrote into the ownership manifest
CONSEQUENCES = {
    "start": "",
    "reload": "no answer under way is cut",
    "restart": "requests fail meanwhile, and answers under way are cut after 30 s",
}


@dataclass(frozen=True)
class LoadGateway(HostScript, file="load_gateway"):
    """
    Makes the running gateway use its files, and waits until it does.

    + verb: `start`, `reload` or `restart`
    + url, connect_to: its address, as curl takes them
    + loaded: the file that says what it has read; read: the files, with blanks between them
    """

    verb: str
    url: str
    connect_to: str
    service: str = paths.GATEWAY_SERVICE
    config: str = paths.GATEWAY_CONFIG
    certificate: str = paths.GATEWAY_CERTIFICATE
    unit: str = paths.GATEWAY_UNIT
    loaded: str = paths.GATEWAY_LOADED
    read: str = " ".join(READ)


@dataclass(frozen=True)
class RemoveGateway(HostScript, file="remove_gateway"):
    """Stops the gateway, and removes its files, one a line, its cache and its directory."""

    files: str = "\n".join((*FILES, paths.GATEWAY_LOADED))
    service: str = paths.GATEWAY_SERVICE
    cache: str = paths.GATEWAY_CACHE
    directory: str = paths.GATEWAY
    drained: str = paths.GATEWAY_DRAINED


@operation
def load(settings: HostSettings, probe: Probe, address: ListenAddress) -> Decision:
    """
    Make the gateway use its files, now and after a boot. Answers under way are cut only if it has to restart.

    + address: that its configuration listens on
    """
    verb, why = _verb((address, *filter(None, (settings.gateway_page,))), probe)
    if not verb:
        return Unchanged(f"the gateway listens on {address} for {len(settings.gateway_tokens)} clients")
    script = LoadGateway(verb, gateway_url(settings), connect_to(settings)).script
    return Change(
        "gateway",
        "stopped" if verb == "start" else "runs with earlier files",
        f"listens on {address}",
        script,
        _predict_loaded,
        why=why,
        consequence=CONSEQUENCES[verb],
        place=Place.WITHIN,
    )


def _verb(addresses: Sequence[ListenAddress], probe: Probe) -> tuple[str, str]:
    """How the gateway has to be brought to use its files, and why; empty if it uses them."""
    unit = probe.units.get(paths.GATEWAY_SERVICE)
    if unit is None or unit.active != "active":
        return "start", "it does not run"
    read, text = [*(probe.files[paths.GATEWAY_LOADED].content or b"").decode(errors="replace").split(), "", ""][:2]
    if text != _digest(probe, (paths.GATEWAY_UNIT,)) or unit.need_reload:
        return "restart", "its unit changed"
    if any(_overlaps(each, probe) for each in addresses):
        return "restart", "it listens on another address with the same port, and cannot have both"
    if read != _digest(probe, READ):
        return "reload", "its files changed"
    return ("", "") if unit.enabled == "enabled" else ("reload", "it does not start at boot")


def _overlaps(address: ListenAddress, probe: Probe) -> bool:
    """Whether the gateway, or what holds its port, listens there on an address that this one includes or is part of."""
    held = {each.address.replace("*", "::") for each in probe.sockets if each.port == address.port}
    return bool(held) and address.ip not in held


def _digest(probe: Probe, files: tuple[str, ...]) -> str:
    """As the host computes it: sha256 of the files, one after the other."""
    return hashlib.sha256(b"".join(probe.files[path].content or b"" for path in files)).hexdigest()


def _predict_loaded(probe: Probe) -> Probe:
    unit = Unit("loaded", "active", "running", "enabled", 0, False, (), paths.GATEWAY_UNIT, 0, "success")
    text = f"{_digest(probe, READ)} {_digest(probe, (paths.GATEWAY_UNIT,))}\n"
    probe = probe.replace(units={**probe.units, paths.GATEWAY_SERVICE: unit})
    return probe.with_file(
        paths.GATEWAY_LOADED, File("file", "0600", owner="root:root", content=text.encode())
    ).with_file(paths.BOOT_UNITS + paths.GATEWAY_SERVICE, File("link", target=paths.GATEWAY_UNIT))


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Stop the gateway and remove its files. nginx's package stays, and its own service does not start."""
    if all(probe.files[path].kind == "absent" for path in FILES) and not is_managed(probe, *MASK):
        return Unchanged("there is no gateway")

    def predict(probe: Probe) -> Probe:
        for path in (*FILES, paths.GATEWAY, paths.GATEWAY_LOADED, paths.BOOT_UNITS + paths.GATEWAY_SERVICE):
            probe = probe.with_file(path, ABSENT)
        unit = probe.units.get(paths.GATEWAY_SERVICE)
        gone = {paths.GATEWAY_SERVICE: replace(unit, load="not-found", active="inactive", fragment="")} if unit else {}
        return disown(probe.replace(units={**probe.units, **gone}), *MASK)

    return Change(
        "gateway", "present", "removed", RemoveGateway().script, predict,
        consequence="its clients reach Ollama no more", place=Place.WITHIN,
    )  # fmt: skip
