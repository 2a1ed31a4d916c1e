"""Checks the signature of an archive's index with gpgv. Only the text that was signed is used."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fleethands.debian.errors import ArchiveError
from fleethands.debian.suites import KEYRING_PACKAGES, KEYRINGS

TIMEOUT = 60.0
# gpgv exits with 0 for a key that has expired, so its status lines decide (GnuPG doc/DETAILS)
BAD = {"BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "ERRSIG"}
REASONS = {
    "BADSIG": "the signature does not fit the text",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key has expired",
    "REVKEYSIG": "the key was revoked",
    "ERRSIG": "the keyring does not have its key",
}
_STATUS = re.compile(r"\[GNUPG:\] ([A-Z_]+)", re.MULTILINE)


def find_keyring(distribution: str, given: Path | None) -> Path:
    """The keyring of a distribution on this machine. Raises ArchiveError."""
    for path in [given] if given else map(Path, KEYRINGS[distribution]):
        if path.is_file():
            return path
    if given:
        raise ArchiveError(f"there is no keyring {given}", "give the path of a keyring that gpgv can read: --keyring")
    package = KEYRING_PACKAGES[distribution]
    raise ArchiveError(
        f"this machine has no keyring of {distribution}, so its packages cannot be checked",
        f"on Debian or Ubuntu: apt-get install {package}",
        "elsewhere, copy one from a host, and add `--keyring FILE`",
    )


def signed_text(url: str, content: bytes, keyring: Path) -> str:
    """
    The text that a key of the keyring signed.

    + url: where the content is from, for the message

    Raises ArchiveError if no signature is good.
    """
    with tempfile.TemporaryDirectory(prefix="fleethands-") as work:
        source, target = Path(work) / "InRelease", Path(work) / "Release"
        source.write_bytes(content)
        command = [
            "gpgv",
            "--status-fd",
            "1",
            "--keyring",
            str(keyring.absolute()),
            "--output",
            str(target),
            str(source),
        ]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False, cwd=work
            )
        except FileNotFoundError:
            hint = "on Debian or Ubuntu: apt-get install gpgv; elsewhere it is a part of GnuPG"
            raise ArchiveError("this machine has no gpgv, so packages cannot be checked", hint) from None
        except subprocess.TimeoutExpired:
            raise ArchiveError(f"{url}: gpgv gave no answer within {TIMEOUT:g} s", "run it again") from None
        _check_status(url, keyring, done.stdout.decode(errors="replace"))
        return target.read_bytes().decode(errors="replace")


def _check_status(url: str, keyring: Path, status: str) -> None:
    """One good signature is enough, because an archive signs with its next key too. A wrong one is never accepted."""
    found = [set(words) for words in _signatures(status)]
    wrong = {word for words in found for word in words & BAD}
    if "BADSIG" not in wrong and any({"GOODSIG", "VALIDSIG"} <= words and not words & BAD for words in found):
        return
    reason = next((text for word, text in REASONS.items() if word in wrong), "it has no signature")
    raise ArchiveError(
        f"{url} is not signed by a valid key of {keyring}: {reason}",
        "update the keyring of this machine, or name another: --keyring FILE",
        "try another mirror: --mirror NAME=URL",
    )


def _signatures(status: str) -> Iterator[list[str]]:
    """The status words of each signature: NEWSIG begins one."""
    words: list[str] = []
    for word in _STATUS.findall(status):
        if word == "NEWSIG":
            if words:
                yield words
            words = []
        words.append(word)
    if words:
        yield words
