"""The names in a certificate: DNS names and IP addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509

from fleethands.tls.errors import TlsError


def normalize(name: str) -> str:
    """A name as it is compared: in lower case, or an address in its shortest form."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower()


def general_name(name: str) -> x509.DNSName | x509.IPAddress:
    """
    A name as certificates have it.

    + name: a DNS name or an IP address, without a port

    Raises TlsError.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.lower())
    except ValueError:
        raise TlsError(f"`{name}` is not a name in ASCII") from None


def find_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names and IP addresses of a certificate, as they are compared. The name of its subject is not one."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [normalize(str(each.value)) for each in names if isinstance(each, x509.DNSName | x509.IPAddress)]


def covers(names: Iterable[str], name: str) -> bool:
    """Whether one of the names of a certificate is this name. `*.example.com` is every name with one part more."""
    name = normalize(name)
    return any(each == name or _matches(each, name) for each in names)


def _matches(wildcard: str, name: str) -> bool:
    first, _, parent = wildcard.partition(".")
    if first != "*" or "." not in parent:  # clients accept no `*.com`
        return False
    return not _is_address(name) and name.partition(".")[2] == parent


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
