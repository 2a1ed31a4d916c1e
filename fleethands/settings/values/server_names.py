"""Names of servers, as a certificate has them."""

from __future__ import annotations

import ipaddress
import re

from fleethands.settings.expected import InvalidValue, check_line

EXAMPLE = "a DNS name or an IP address, such as `gpu-1.example.com`"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# the last label is no number, because clients would read an IPv4 address: `10.0.0.256`, `010.0.0.1`
_DNS_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}\Z")


def check_server_name(text: str) -> str:
    """
    A DNS name in lower case, or an IP address in its shortest form and without brackets. Raises InvalidValue.

    Example: `check_server_name("GPU-1.example.com")` is `gpu-1.example.com`.
    """
    name = check_line(text).lower()
    if address := _read_address(name):
        return _check_address(address)
    _refuse_more_than_a_name(name)
    if "*" in name:
        raise InvalidValue("one name without a wildcard, such as `gpu-1.example.com`")
    if not text.isascii():
        raise _expected("a name in ASCII", _to_ascii(name))
    if name.endswith("."):
        raise _expected("a name without a final dot", name.rstrip("."))
    if "_" in name:
        raise _expected("a name without `_`", name.replace("_", "-"))
    if not _DNS_NAME.match(name):
        raise InvalidValue(EXAMPLE)
    return name


def _refuse_more_than_a_name(name: str) -> None:
    if "://" in name:
        raise _expected("a name without a scheme", re.split("[/?#]", name.partition("://")[2])[0])
    if "/" in name:
        raise _expected("a name without a path", name.partition("/")[0])
    if match := re.fullmatch(r"\[([^\]]*)\](?::[0-9]*)?", name):
        raise _expected("an IPv6 address without brackets or port", match[1])
    if "%" in name:
        raise _expected("an address without a zone", name.partition("%")[0])
    if match := re.fullmatch(r"([^:]*):[0-9]*", name):
        raise _expected("a name without a port", match[1])


def _expected(form: str, suggestion: str) -> InvalidValue:
    """The error with a suggestion. If that has a mistake too, the error of that one."""
    try:
        return InvalidValue(f"{form}, such as `{check_server_name(suggestion)}`")
    except InvalidValue as error:
        return error


def _read_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address("" if "%" in name else name)
    except ValueError:
        return None


def _check_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if address.is_unspecified or address.is_multicast:
        raise InvalidValue("an address that clients connect to, such as `10.0.0.5`")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise _expected("an IPv4 address in its own form", str(address.ipv4_mapped))
    return str(address)


def _to_ascii(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return ""
