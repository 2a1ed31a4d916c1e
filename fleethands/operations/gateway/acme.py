"""The gateway's certificate by ACME: certbot of the distribution gets it on the host, and a timer renews it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core import scripts
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.gateway.certificate import FILES, MODE, OWNER
from fleethands.operations.gateway.service import READ
from fleethands.script import Script
from fleethands.settings import HostSettings

LATE = timedelta(days=14)  # before its end, certbot has renewed a certificate
ALL = (
    paths.ACME, paths.ACME_RENEW, paths.ACME_TRUST, paths.ACME_ISSUED,
    paths.ACME_UNIT, paths.ACME_TIMER_UNIT, paths.ACME_ENABLED,
)  # fmt: skip


@dataclass(frozen=True)
class ObtainCertificate(HostScript, file="obtain_certificate"):
    """
    Gets the certificate, and installs the timer that renews it.

    + renew: text of the script that does so; unit, timer: texts of its units; trust: root certificates, or empty
    """

    renew: str
    unit: str
    timer: str
    trust: str
    renew_path: str = paths.ACME_RENEW
    unit_path: str = paths.ACME_UNIT
    timer_path: str = paths.ACME_TIMER_UNIT
    trust_path: str = paths.ACME_TRUST
    folder: str = paths.ACME
    service: str = paths.GATEWAY_SERVICE


@dataclass(frozen=True)
class RemoveAcme(HostScript, file="remove_acme"):
    """Stops the timer, and removes its files and those of certbot."""

    unit_path: str = paths.ACME_UNIT
    timer_path: str = paths.ACME_TIMER_UNIT
    folder: str = paths.ACME


@operation
def obtain(settings: HostSettings, probe: Probe, unit: str, timer: str) -> Decision:
    """
    Get the certificate from the declared authority, and renew it by a timer.

    + unit, timer: texts of its units
    """
    from fleethands.settings.values import certificates  # noqa: PLC0415  only a gateway has a certificate

    try:
        trust = certificates.read_acme_trust(settings)
    except ValueError as error:
        return Refused(f"`gateway_acme_trust`: {error}", ("on this machine: fleethands check",))
    files = {
        paths.ACME_RENEW: _file("0600", renew_text(settings)),
        paths.ACME_TRUST: _file("0600", trust),
        paths.ACME_UNIT: _file("0644", unit),
        paths.ACME_TIMER_UNIT: _file("0644", timer),
    }
    why = _why_not_issued(settings, probe) or _why_not_renewed(probe, files)
    names = ", ".join(settings.gateway_names)
    if not why:
        return Unchanged(f"the gateway has a certificate for {names}, and a timer renews it")
    script = ObtainCertificate(renew_text(settings), unit, timer, trust).script
    before = probe.files[paths.GATEWAY_CERTIFICATE].kind
    return Change(
        "certificate of the gateway", before, f"for {names}, from {settings.gateway_acme}", script,
        lambda probe: _predict(settings, probe, files), why=why,
        consequence="port 80 is open while the authority connects", place=Place.WITHIN,
    )  # fmt: skip


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Renew no certificate by ACME. certbot's package stays."""
    if probe.files[paths.ACME].kind == "absent":  # which is removed last
        return Unchanged("no timer renews a certificate")

    def predict(probe: Probe) -> Probe:
        for path in ALL:
            probe = probe.with_file(path, ABSENT)
        timer = probe.units.get(paths.ACME_TIMER)
        gone = {paths.ACME_TIMER: replace(timer, load="not-found", active="inactive")} if timer else {}
        return probe.replace(units={**probe.units, **gone})

    return Change(
        "certificate by ACME", "renewed by a timer", "removed", RemoveAcme().script, predict, place=Place.WITHIN
    )


def renew_text(settings: HostSettings) -> str:
    """The script on the host that gets the certificate, or renews it."""
    certificate, key = FILES
    values = {
        "server": settings.gateway_acme or "",
        "email": settings.gateway_acme_email or "",
        "names": " ".join(settings.gateway_names),
        "directory": paths.ACME_CERTBOT,
        "trust": paths.ACME_TRUST,
        "issued": paths.ACME_ISSUED,
        "certificate": certificate,
        "key": key,
        "owner": OWNER,
        "service": paths.GATEWAY_SERVICE,
        "loaded": paths.GATEWAY_LOADED,
        "read": " ".join(READ),
    }
    return Script(scripts.read("renew_certificate"), values).text


def _why_not_issued(settings: HostSettings, probe: Probe) -> str:
    """Why the authority has to be asked, as a clause; empty if the certificate on the host stays."""
    from fleethands.tls.errors import TlsError  # noqa: PLC0415
    from fleethands.tls.server_certificate import ServerCertificate  # noqa: PLC0415

    chain, key = (probe.files[path].content or b"" for path in FILES)
    if not chain or not key:
        return "the gateway has none"
    wrong = [path for path in FILES if (probe.files[path].mode, probe.files[path].owner) != (MODE, OWNER)]
    if wrong:
        return f"{wrong[0]} has another owner or mode"
    if (probe.files.get(paths.ACME_ISSUED, ABSENT).content or b"") != _issued(settings, chain):
        return "it is for other names, or from another authority"
    now, found = datetime.now(UTC), ServerCertificate(chain.decode(errors="replace"), key.decode(errors="replace"))
    try:
        own = found.read_chain(found.chain_pem)[0]
        life = own.not_valid_after_utc - own.not_valid_before_utc
        late = own.not_valid_after_utc - now < min(LATE, life / 6)
        return found.why_unfit(settings.gateway_names, now, least_days=0) or late * "the host did not renew it in time"
    except TlsError as error:
        return error.problem.message


def _issued(settings: HostSettings, chain: bytes) -> bytes:
    """As the host writes it: what was asked for, and the sha256 of the certificate."""
    names = " ".join(settings.gateway_names)
    return f"{settings.gateway_acme} {names}\n{hashlib.sha256(chain).hexdigest()}\n".encode()


def _why_not_renewed(probe: Probe, files: dict[str, File]) -> str:
    """Why the timer has to be installed; empty if it runs."""
    for path, wanted in files.items():
        found = probe.files.get(path, ABSENT)
        if (found.kind, found.mode, found.owner, found.content) != ("file", wanted.mode, wanted.owner, wanted.content):
            return f"{path.rpartition('/')[2]} changed"
    timer = probe.units.get(paths.ACME_TIMER)
    if timer is None or timer.active != "active":
        return "the timer that renews it does not run"
    return "" if probe.files[paths.ACME_ENABLED].kind == "link" else "the timer that renews it does not start at boot"


def _predict(settings: HostSettings, probe: Probe, files: dict[str, File]) -> Probe:
    """The host has another certificate then, which only the authority knows."""
    if _why_not_issued(settings, probe):
        unknown = b"issued by the authority"
        for path in FILES:
            probe = probe.with_file(path, File("file", MODE, owner=OWNER, content=unknown))
        probe = probe.with_file(paths.ACME_ISSUED, _file("0600", _issued(settings, unknown).decode()))
    for path, wanted in {**files, paths.ACME: File("directory", "0700", 0, 0, owner="root:root")}.items():
        probe = probe.with_file(path, wanted)
    probe = probe.with_file(paths.ACME_ENABLED, File("link", target=paths.ACME_TIMER_UNIT))
    timer = Unit("loaded", "active", "waiting", "enabled", 0, False, (), paths.ACME_TIMER_UNIT, 0, "success")
    return probe.replace(units={**probe.units, paths.ACME_TIMER: timer})


def _file(mode: str, text: str) -> File:
    return File("file", mode, owner="root:root", content=text.encode())
