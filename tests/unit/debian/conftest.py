"""A mirror on loopback: a small archive of packages, signed by a key that is made for it."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fleethands.debian.suites import SUITES, Suite

SUITE = SUITES["debian-13"]
POCKETS = ("trixie", "trixie-updates", "trixie-security")
USER = "archive@example.net"


@dataclass(frozen=True)
class Signer:
    """A key of GnuPG. `when` is the time that GnuPG is run at, such as `20200101T000000`."""

    home: Path
    when: str = ""

    def gpg(self, *words: str) -> None:
        faked = ["--faked-system-time", self.when] if self.when else []
        command = ["gpg", "--batch", "--quiet", "--homedir", str(self.home), *faked, "--passphrase", "", *words]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def create(self, expires: str = "never") -> Path:
        """Make the key, and return its keyring."""
        self.gpg("--quick-generate-key", USER, "ed25519", "sign", expires)
        keyring = self.home / "keyring.gpg"
        self.gpg("--output", str(keyring), "--export", USER)
        return keyring

    def sign(self, text: str, target: Path) -> None:
        source = self.home / "text"
        source.write_text(text)
        target.unlink(missing_ok=True)
        self.gpg("--output", str(target), "--clearsign", str(source))


@dataclass
class Mirror:
    """The files of a mirror. `fields` are those of its signed indexes."""

    root: Path
    signer: Signer
    keyring: Path
    url: str = ""
    suite: Suite = SUITE
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def mirrors(self) -> dict[str, str]:
        return {"debian": self.url, "debian-security": self.url}

    def publish(self, pocket: str, *stanzas: str, **fields: str) -> None:
        """Write and sign the index of a pocket."""
        content = lzma.compress("\n\n".join(stanzas).encode())
        folder = self.root / "dists" / pocket
        name = "main/binary-amd64/Packages.xz"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        head = {"Origin": "Debian", "Suite": "stable", "Codename": pocket, **self.fields, **fields}
        lines = [f"{key.replace('_', '-')}: {value}" for key, value in head.items()]
        row = f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}"
        self.signer.sign("\n".join([*lines, "SHA256:", row, ""]), folder / "InRelease")


def stanza(name: str, version: str = "1.0", needs: str = "", provides: str = "", content: bytes = b"") -> str:
    """The text of a package in an index."""
    lines = [f"Package: {name}", "Architecture: amd64", f"Version: {version}"]
    lines += [f"Depends: {needs}"] if needs else []
    lines += [f"Provides: {provides}"] if provides else []
    digest = hashlib.sha256(content).hexdigest()
    lines += [f"Filename: pool/main/{name}_{version}_amd64.deb", f"Size: {len(content)}", f"SHA256: {digest}"]
    return "\n".join(lines)


@pytest.fixture(scope="session")
def signer() -> Iterator[Callable[..., tuple[Signer, Path]]]:
    """Make a key, and its keyring. GnuPG's socket needs a short path."""
    if shutil.which("gpg") is None:
        pytest.skip("no gpg to sign with")
    homes = []

    def make(when: str = "", expires: str = "never") -> tuple[Signer, Path]:
        home = Path(tempfile.mkdtemp(prefix="fh-gpg-"))
        home.chmod(0o700)
        homes.append(home)
        made = Signer(home, when)
        return made, made.create(expires)

    yield make
    for home in homes:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, env=os.environ)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def key(signer: Callable[..., tuple[Signer, Path]]) -> tuple[Signer, Path]:
    return signer()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, key: tuple[Signer, Path]) -> Iterator[Mirror]:
    root = tmp_path / "mirror"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made = Mirror(root, *key, url=f"http://127.0.0.1:{server.server_port}")
    for pocket in POCKETS[1:]:
        made.publish(pocket)
    yield made
    server.shutdown()
    server.server_close()
