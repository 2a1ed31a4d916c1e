"""The host keys of a run, judged as `fleethands trust` judges them: paramiko reads neither markers nor patterns."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from paramiko import HostKeys, MissingHostKeyPolicy, PKey, SSHException
from pyinfra.connectors.sshuserclient import client

from fleethands.rollout.known_hosts import Files, Verdict

WORDS = {
    "revoked": "is revoked",
    "changed": "is not the one that is known",
    "new": "is not known, and its certificate is not read",
}
RSA = "rsa-sha2-512"  # how an RSA key signs: by its own name, it would sign with SHA-1


class RefusedKey(SSHException):
    """A host, or the jump host before it, shows a key that it may not show; pyinfra's own error comes on top."""

    def __init__(self, name: str, verdict: Verdict) -> None:
        super().__init__(f"the host key of {name} {WORDS[verdict.status]}: {verdict.line or verdict.authority}")
        self.name, self.verdict = name, verdict


def refused(error: BaseException) -> RefusedKey | None:
    """What is behind an error of pyinfra's, where it is a key."""
    cause = error.__context__
    return cause if isinstance(cause, RefusedKey) else None


def take() -> None:
    """Have every connection of pyinfra's judge host keys so, those to jump hosts too; nobody is asked."""
    if client.get_host_keys is not _host_keys:
        client.get_host_keys = _host_keys
        client.get_missing_host_key_policy = _policy(client.get_missing_host_key_policy)


def preferred(files: Files, name: str) -> str | None:
    """How a host is asked to sign first: as the first key does that it is known by."""
    first = next((line.kind for line in files.known(name)), None)
    return RSA if first == "ssh-rsa" else first


@cache
def _host_keys(filenames: tuple[str, ...]) -> Any:
    return _HostKeys(Files.read(map(Path, filenames)))


class _HostKeys(HostKeys):
    """In the place of paramiko's, which SSHClient.connect asks."""

    def __init__(self, files: Files) -> None:
        super().__init__()
        self.files = files

    def lookup(self, hostname: str) -> Any:
        kind = preferred(self.files, hostname)
        return _Known(self.files, hostname, kind) if kind else None


class _Known:
    """The keys of one host, as SSHClient.connect uses them: whatever it gets, it compares with what is shown."""

    def __init__(self, files: Files, name: str, kind: str) -> None:
        self._files, self._name, self._kind = files, name, kind

    def keys(self) -> list[str]:
        return [self._kind]

    def get(self, _kind: str) -> _Known:
        return self

    def __eq__(self, shown: object) -> bool:
        if not isinstance(shown, PKey):
            return NotImplemented
        verdict = self._files.judge(self._name, shown)
        if verdict.status != "known":
            raise RefusedKey(self._name, verdict)
        return True

    __hash__ = None  # type: ignore[assignment]


class _Policy(MissingHostKeyPolicy):
    """What is done with a key that is not known: as the configuration says, but for what files say of it."""

    def __init__(self, other: MissingHostKeyPolicy) -> None:
        self._other = other

    def missing_host_key(self, ssh: Any, hostname: str, key: PKey) -> None:
        verdict = ssh._host_keys.files.judge(hostname, key)
        strict = isinstance(self._other, client.StrictPolicy)
        if verdict.status == "revoked" or (strict and verdict.authority):
            raise RefusedKey(hostname, verdict)
        self._other.missing_host_key(ssh, hostname, key)


def _policy(original: Any) -> Any:
    def policy(word: str | None) -> MissingHostKeyPolicy:
        found = original(word)
        return _Policy(client.StrictPolicy() if isinstance(found, client.AskPolicy) else found)

    return policy
