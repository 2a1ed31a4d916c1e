"""Values of settings. Each rejects what upstream would misread, and suggests the correct form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fleethands.settings.expected import InvalidValue

OLLAMA_PORT = 11434
DEFAULTS = {"host": "registry.ollama.ai", "namespace": "library", "tag": "latest"}
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*"
_NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_\-]*"
_HOST = r"[A-Za-z0-9_][A-Za-z0-9_.:\-]*"
# ollama/ollama types/model/name.go, v0.32.15
MODEL = re.compile(
    rf"(?:(?:(?P<host>{_HOST})/)?(?P<namespace>{_NAMESPACE})/)?(?P<model>{_PART})(?::(?P<tag>{_PART}))?\Z"
)


@dataclass(frozen=True)
class ListenAddress:
    """An IP address and a TCP port to listen on."""

    ip: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int = OLLAMA_PORT) -> ListenAddress:
        """Read `IP`, `IP:PORT` or `[IPv6]:PORT`. Raises InvalidValue."""
        if "://" in text:
            raise InvalidValue(f"IP:PORT without a scheme, such as `{text.split('://', 1)[1].partition('/')[0]}`")
        if "/" in text:
            raise InvalidValue(f"IP:PORT without a path, such as `{text.partition('/')[0]}`")
        ip, port = text, str(default_port)
        if match := re.fullmatch(r"\[(.+)\](?::(\d+))?", text):
            ip, port = match[1], match[2] or port
        elif text.count(":") == 1:
            ip, port = text.split(":")
        if ip == "localhost":
            raise InvalidValue(f"IP:PORT, such as `127.0.0.1:{port}`")
        try:
            ipaddress.ip_address("" if "%" in ip else ip)
        except ValueError:
            raise InvalidValue("IP:PORT, such as `0.0.0.0:11434`") from None
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise InvalidValue("a port from 1 to 65535")
        return cls(ip, int(port))

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @property
    def everywhere(self) -> bool:
        """Whether this is every address of a host."""
        return self.ip in {"0.0.0.0", "::"}  # noqa: S104

    @property
    def local_ip(self) -> str:
        """The IP that a client on the host itself connects to."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.ip, self.ip)  # noqa: S104

    @property
    def local_url(self) -> str:
        """The URL for a client on the host itself."""
        return f"http://{ListenAddress(self.local_ip, self.port)}"


@dataclass(frozen=True)
class ModelName:
    """A model's full name, by upstream's rules and defaults."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Read `[host/][namespace/]model[:tag]`. Raises InvalidValue."""
        match = MODEL.match(text)
        if "://" in text:
            raise InvalidValue(f"`{text.split('://', 1)[1]}`: for plain HTTP, set the model's `insecure`")
        if match is None or len(text) > 500:
            raise InvalidValue("`model:tag`, such as `codellama:7b`")
        parts = {key: value for key, value in match.groupdict().items() if value is not None}
        if any(len(value) > (350 if key == "host" else 80) for key, value in parts.items()):
            raise InvalidValue("parts of at most 80 characters")
        for key, default in DEFAULTS.items():
            if parts.get(key, default).lower() == default:
                parts[key] = default  # Ollama lists `Library/tiny` as `tiny`
        return cls(**parts)

    def __str__(self) -> str:
        """The short form, as Ollama lists it."""
        name = f"{self.model}:{self.tag}"
        if self.host != DEFAULTS["host"]:
            return f"{self.host}/{self.namespace}/{name}"
        return name if self.namespace == DEFAULTS["namespace"] else f"{self.namespace}/{name}"


_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?\Z"
)


def check_base_url(text: str) -> str:
    """The address of an Ollama API: scheme, host and port in lower case, without a final slash. Raises InvalidValue."""
    text = text.lower()
    if "@" in text:
        raise InvalidValue("an address without a user and password")
    if "://" not in text:
        raise InvalidValue(f"a scheme, such as `http://{text}`")
    scheme, _, rest = text.partition("://")
    server, _, path = rest.partition("/")
    if path.rstrip("/") in {"v1", "api"}:
        raise InvalidValue(f"an address without a path, such as `{scheme}://{server}`")
    match = _BASE_URL.match(text)
    if match is None and server.count(":") > 1 and not server.startswith("["):
        raise InvalidValue("an IPv6 address in its brackets, such as `http://[fd00::5]:11434`")
    if match is None:
        raise InvalidValue("an address without a path, such as `http://10.0.0.5:11434`")
    if not 0 < int(match["port"] or 80) < 65536:
        raise InvalidValue("a port from 1 to 65535")
    if match["host"].startswith("["):
        try:
            ipaddress.IPv6Address(match["host"][1:-1])
        except ValueError:
            raise InvalidValue("an IPv6 address in its brackets, such as `http://[fd00::5]:11434`") from None
    return text.rstrip("/")


_LOCAL = re.compile(r"//(localhost|127[0-9.]*|0\.0\.0\.0|\[::1?\])(?=:|\Z)")


def is_local(base_url: str) -> bool:
    """Whether an address is a host's own loopback; a client that connects to `0.0.0.0` reaches loopback too."""
    return _LOCAL.search(base_url) is not None


def from_container(base_url: str, name: str) -> str:
    """The same address for a container, which has another name for its host."""
    return _LOCAL.sub(f"//{name}", base_url)


def host_and_port(base_url: str) -> tuple[str, int]:
    """Host name or IP, without brackets, and port of an address."""
    parts = urlsplit(base_url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


_SCHEMES = (
    "http://",
    "https://",
    *(f"{browser}-extension://" for browser in ("chrome", "safari", "moz", "ms-browser")),
)


def check_origin(text: str) -> str:
    """
    Check an entry of OLLAMA_ORIGINS. Ollama exits in a loop for an invalid one (its envconfig, gin-contrib/cors).

    Raises InvalidValue.
    """
    if text != text.strip() or "," in text or any(char.isspace() for char in text):
        raise InvalidValue("one origin without spaces or commas")
    if any(quote in text for quote in "\"'"):
        raise InvalidValue("an origin without quotes")  # Ollama would strip them
    if text.count("*") > 1:
        raise InvalidValue("at most one `*`")
    if text in {"", "null"}:
        raise InvalidValue("`*` or an origin, such as `https://example.com`")
    if "*" not in text and not text.startswith(_SCHEMES):
        raise InvalidValue(f"`*` or a scheme, such as `https://{text.rpartition('://')[2]}`")
    return text
