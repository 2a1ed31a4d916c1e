"""The gateway's certificate: issued by the declared authority, or the declared files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.settings import HostSettings
from fleethands.settings.gateway import certificate_names

if TYPE_CHECKING:
    from fleethands.tls.server_certificate import ServerCertificate

OWNER, MODE = f"root:{paths.GATEWAY_USER}", "0640"
FILES = (paths.GATEWAY_CERTIFICATE, paths.GATEWAY_KEY)


@dataclass(frozen=True)
class WriteCertificate(HostScript, file="write_certificate"):
    """
    Writes the certificate and its key.

    + certificate, key: in PEM; certificate_path, key_path: their files; owner: `user:group`
    """

    certificate: str
    key: str
    certificate_path: str = paths.GATEWAY_CERTIFICATE
    key_path: str = paths.GATEWAY_KEY
    owner: str = OWNER


@operation
def write_certificate(settings: HostSettings, probe: Probe) -> Decision:
    """
    Write the declared certificate, or one of the declared authority.

    A certificate of the authority stays as long as it is good. The controller makes its key, and does not store it.
    """
    try:
        wanted, why, notes = _wanted(settings, probe)
    except ValueError as error:
        return Refused(f"the gateway's certificate: {error}", ("on this machine: fleethands check",))
    if wanted is None:
        return Unchanged(f"the gateway has a certificate for {', '.join(settings.gateway_names)}", notes)

    def predict(probe: Probe) -> Probe:
        for path, text in zip(FILES, (wanted.chain_pem, wanted.key_pem), strict=True):
            probe = probe.with_file(path, File("file", MODE, owner=OWNER, content=text.encode()))
        return probe

    return Change(
        "certificate of the gateway",
        probe.files[paths.GATEWAY_CERTIFICATE].kind,
        f"for {', '.join(settings.gateway_names)}, {wanted.days_left(datetime.now(UTC))} days",
        WriteCertificate(wanted.chain_pem, wanted.key_pem).script,
        predict,
        why=why,
        notes=notes,
        place=Place.WITHIN,
    )


def _wanted(settings: HostSettings, probe: Probe) -> tuple[ServerCertificate | None, str, tuple[str, ...]]:
    """The certificate to write, why, and notes about it; None if that on the host stays. Raises ValueError."""
    from fleethands.settings.values import certificates  # noqa: PLC0415  only a host with a gateway has a certificate
    from fleethands.tls.server_certificate import why_not_issued  # noqa: PLC0415

    present = _text(probe, paths.GATEWAY_CERTIFICATE), _text(probe, paths.GATEWAY_KEY)
    wrong = [path for path in FILES if (probe.files[path].mode, probe.files[path].owner) != (MODE, OWNER)]
    why = f"{wrong[0]} has another owner or mode" if wrong and all(present) else ""
    now = datetime.now(UTC)
    if settings.gateway_certificate is not None or settings.gateway_authority is None:
        declared = certificates.read_certificate(settings)
        if present != (declared.chain_pem, declared.key_pem):
            why = "the declared files are others"
        soon = declared.why_unfit(settings.gateway_names, now)
        return declared if why else None, why, (f"`gateway_certificate`: {soon}",) if soon else ()
    authority, names = certificates.read_authority(settings.gateway_authority), certificate_names(settings)
    why = why_not_issued(*present, authority, names, now) or why
    left = (authority.ends - now).days
    notes = (f"`gateway_authority`: it ends in {left} days, and all its certificates with it",) if left < 365 else ()
    return authority.issue(names, now) if why else None, why, notes


def _text(probe: Probe, path: str) -> str:
    return (probe.files[path].content or b"").decode(errors="replace")
