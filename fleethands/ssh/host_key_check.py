"""Checks host keys like `fleethands trust`, because paramiko supports neither markers nor patterns."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from paramiko import HostKeys, MissingHostKeyPolicy, PKey, SSHException
from pyinfra.connectors.sshuserclient import client

from fleethands.ssh.known_hosts import KnownHosts, Verdict

STATUS_TEXT = {"revoked": "is revoked", "changed": "changed", "new": "is not in known_hosts"}
RSA = "rsa-sha2-512"  # RSA keys sign with it; under their own name they would sign with SHA-1


class HostKeyRefused(SSHException):
    """A host or jump host shows a key that is not accepted. pyinfra wraps this error in its own."""

    def __init__(self, name: str, verdict: Verdict) -> None:
        place = verdict.line or verdict.authority
        super().__init__(f"the host key of {name} {STATUS_TEXT[verdict.status]}{f': {place}' if place else ''}")
        self.name, self.verdict = name, verdict


def preferred_key_types(files: KnownHosts, name: str, kinds: Iterable[str]) -> list[str]:
    """
    The key types to ask a host for: certificates first if an authority is known, then the types in known_hosts.

    + kinds: all types, in paramiko's order
    """
    first = [RSA if kind == "ssh-rsa" else kind for kind in files.key_types(name)]
    return list(dict.fromkeys([*first, *kinds]))


@cache
def _files(paths: tuple[Path, ...]) -> KnownHosts:
    return KnownHosts.load(paths)


class KnownHostKeys(HostKeys):
    """
    Replaces paramiko's host keys in SSHClient.connect.

    + alias: the host's name in known_hosts, whatever its address; empty without an alias

    Raises OSError for a file that can't be read.
    """

    def __init__(self, paths: tuple[Path, ...], alias: str = "") -> None:
        super().__init__()
        self.files, self.alias = _files(paths), alias

    def lookup(self, hostname: str) -> Any:
        name = self.alias or hostname
        kinds = preferred_key_types(self.files, name, ())
        return _Keys(self.files, name, kinds[0]) if kinds else None


class _Keys:
    """The keys of one host. SSHClient.connect only compares them with the key that the host shows."""

    def __init__(self, files: KnownHosts, name: str, kind: str) -> None:
        self._files, self._name, self._kind = files, name, kind

    def keys(self) -> list[str]:
        return [self._kind]

    def get(self, _kind: str) -> _Keys:
        return self

    def __eq__(self, shown: object) -> bool:
        if not isinstance(shown, PKey):
            return NotImplemented
        verdict = self._files.judge(self._name, shown)
        if verdict.status != "known":
            raise HostKeyRefused(self._name, verdict)
        return True

    __hash__ = None  # type: ignore[assignment]


class UnknownKeyPolicy(MissingHostKeyPolicy):
    """
    Handles a key that is not in known_hosts by `StrictHostKeyChecking`. It rejects a revoked key and never prompts.

    + word: the value of `StrictHostKeyChecking`
    """

    def __init__(self, word: str) -> None:
        self._other = client.get_missing_host_key_policy({"true": "yes", "false": "no", "ask": "yes"}.get(word, word))

    def missing_host_key(self, ssh: Any, hostname: str, key: PKey) -> None:
        known: KnownHostKeys = ssh._host_keys
        name = known.alias or hostname
        verdict = known.files.judge(name, key)
        if verdict.status == "revoked" or isinstance(self._other, client.StrictPolicy):
            raise HostKeyRefused(name, verdict)
        self._other.missing_host_key(ssh, name, key)
