"""Checks of one certificate. Each gives a clause about what is wrong, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleethands.tls.errors import TlsError
from fleethands.tls.names import covers, find_names, normalize
from fleethands.tls.pem import reading


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the key of an authority signed a certificate, and the authority is the issuer that it names."""
    try:
        with reading("the signature is not one of this authority"):
            certificate.verify_directly_issued_by(authority)
    except TlsError:
        return False
    return True


def why_untimely(certificate: x509.Certificate, now: datetime, least: timedelta) -> str:
    """
    Whether the time is one that a certificate is valid at.

    + least: how long it has to be valid from now
    """
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        return f"it begins on {begins:%Y-%m-%d}"
    if now >= ends:
        return f"it ended on {ends:%Y-%m-%d}"
    days = (ends - now).days
    return f"it ends in {days} day{'s' if days != 1 else ''}" if ends - now < least else ""


def why_unnamed(certificate: x509.Certificate, names: Sequence[str]) -> str:
    """Whether a certificate is for servers with all these names."""
    has = find_names(certificate)
    missing = next((each for each in names if not covers(has, each)), "")
    return f"it is not for `{missing}`" if missing else why_no_server(certificate)


def why_not_exact(certificate: x509.Certificate, names: Sequence[str]) -> str:
    """Whether a certificate is for servers with these names, and for no other names."""
    has, wanted = find_names(certificate), [normalize(each) for each in names]
    missing = next((each for each in wanted if each not in has), "")
    if missing:
        return f"it is not for `{missing}`"
    return "it has other names, too" if set(has) - set(wanted) else why_no_server(certificate)


def why_no_server(certificate: x509.Certificate) -> str:
    """Whether a certificate is for servers. One that names no use is for all of them."""
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ""
    return "" if ExtendedKeyUsageOID.SERVER_AUTH in uses else "it is not for servers"
