"""Content for the lab's registry, pushed by the registry's own HTTP API."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class RegistryError(RuntimeError):
    """The registry did not do what it was asked."""


@dataclass(frozen=True)
class Blob:
    """Content under its digest: a file, bytes in memory, or None for what the registry holds already."""

    source: Path | bytes | None
    digest: str
    size: int

    @staticmethod
    def of(source: Path | bytes) -> Blob:
        """Measure and hash the content."""
        if isinstance(source, bytes):
            return Blob(source, f"sha256:{hashlib.sha256(source).hexdigest()}", len(source))
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Blob(source, f"sha256:{digest}", source.stat().st_size)

    def described(self, media_type: str) -> dict[str, Any]:
        """As a manifest names it."""
        return {"mediaType": media_type, "digest": self.digest, "size": self.size}

    def open(self) -> IO[bytes]:
        """The content, to be read once."""
        if self.source is None:
            raise RegistryError(f"{self.digest} is only known by name here")
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


@dataclass(frozen=True)
class Registry:
    """A docker registry behind a Unix socket."""

    socket: Path

    def manifest(self, repository: str, reference: str) -> bytes | None:
        """The manifest under a tag or digest, byte for byte; None when there is none."""
        status, _, body = self._ask("GET", f"/v2/{repository}/manifests/{reference}", {"Accept": MANIFEST})
        if status == 404:
            return None
        return _expect({200}, status, body)

    def has(self, repository: str, digest: str) -> bool:
        """Whether the repository holds this blob."""
        return self._ask("HEAD", f"/v2/{repository}/blobs/{digest}")[0] == 200

    def blob(self, repository: str, digest: str) -> bytes:
        """A small blob's content."""
        status, _, body = self._ask("GET", f"/v2/{repository}/blobs/{digest}")
        return _expect({200}, status, body)

    def push(self, repository: str, blob: Blob) -> None:
        """Upload a blob, unless the repository holds it."""
        if self.has(repository, blob.digest):
            return
        status, headers, body = self._ask("POST", f"/v2/{repository}/blobs/uploads/")
        _expect({202}, status, body)
        place = headers["Location"]
        joint = "&" if "?" in place else "?"
        wanted = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with blob.open() as content:
            status, _, body = self._ask("PUT", f"{place}{joint}digest={blob.digest}", wanted, content)
        _expect({201}, status, body)

    def borrow(self, repository: str, digest: str, origin: str) -> None:
        """Make a blob of another repository this one's too, without moving its bytes."""
        status, _, body = self._ask("POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={origin}")
        _expect({201}, status, body)

    def tag(self, repository: str, tag: str, manifest: bytes) -> str:
        """Put a manifest under a tag; its digest."""
        headers = {"Content-Type": MANIFEST, "Content-Length": str(len(manifest))}
        status, answer, body = self._ask("PUT", f"/v2/{repository}/manifests/{tag}", headers, io.BytesIO(manifest))
        _expect({201}, status, body)
        return answer["Docker-Content-Digest"]

    def _ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: IO[bytes] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        with closing(UnixConnection(self.socket, timeout=300)) as connection:
            connection.request(method, target, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float, host: str = "registry") -> None:
        super().__init__(host, timeout=timeout)
        self.blocksize = 1 << 20
        self._path = path

    def connect(self) -> None:
        """Reach the socket's file instead of a name."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def compact(document: Mapping[str, Any]) -> bytes:
    """JSON without spaces, because manifests and configurations are compared by their bytes."""
    return json.dumps(document, separators=(",", ":")).encode()


def _expect(wanted: set[int], status: int, body: bytes) -> bytes:
    if status not in wanted:
        raise RegistryError(f"registry answered {status}: {body[:400].decode(errors='replace')}")
    return body
