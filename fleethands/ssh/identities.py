"""The user's keys for a login, from files and from an agent."""

from __future__ import annotations

import os
import socket
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any

from paramiko import PKey, SSHException
from paramiko.agent import Agent, AgentSSH
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh_util import load_key_with_certificate

from fleethands.ssh.ssh_config import SshConfig

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa")


def options(answer: SshConfig, given: dict[str, Any]) -> dict[str, Any]:
    """
    Options of paramiko: the files and the agent that `ssh` would use; none if the inventory names a key.

    + given: options of the inventory
    """
    if "pkey" in given:
        return {}
    files = [each for each in answer.identities if _is_private_key(each)]
    if not given.get("look_for_keys", True):
        files = [each for each in files if Path(each).name not in DEFAULT_KEYS]
    certified = _certified(files, answer.certificates)
    return {
        "key_filename": files,
        "look_for_keys": False,  # paramiko would try keys that the configuration does not name
        "allow_agent": answer.agent != "" and given.get("allow_agent", True),
        **({"pkey": certified} if certified else {}),
    }


def agent(answer: SshConfig) -> Agent | None:
    """An agent with the keys that may be used; None for paramiko's default."""
    path = os.environ.get("SSH_AUTH_SOCK", "") if answer.agent is None else answer.agent
    if not path or (answer.agent is None and not answer.identities_only):
        return None
    found = _AgentAt(path)
    if answer.identities_only:
        wanted = {blob for each in answer.identities if (blob := _public(each))}
        found._keys = tuple(key for key in found.get_keys() if key.asbytes() in wanted)  # type: ignore[attr-defined]
    return found


def _is_private_key(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(11) == b"-----BEGIN "
    except OSError:
        return False


def _certified(files: list[str], certificates: tuple[str, ...]) -> PKey | None:
    """The first key with a certificate of the configuration. paramiko itself finds certificates next to their keys."""
    for path in files:
        for certificate in certificates:
            with suppress(SSHException, PyinfraError, OSError, ValueError):
                key = load_key_with_certificate(path, certificate_filename=certificate, allow_prompt=False)
                own = key.asbytes()[4 + len(key.get_name()) :]  # behind the name of the type
                if key.public_blob and own in key.public_blob.key_blob:
                    return key
    return None


class _AgentAt(Agent):
    """The agent of one socket. paramiko's own reads the environment, which all connections share."""

    def __init__(self, path: str) -> None:
        AgentSSH.__init__(self)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            self._connect(connection)  # type: ignore[attr-defined]
        except (OSError, SSHException):  # like in `ssh`, a missing agent has no keys
            connection.close()


def _public(path: str) -> bytes | None:
    """The public key of an identity: from the `.pub` file next to it, or the file itself."""
    for each in (f"{path}.pub", path):
        with suppress(OSError, ValueError):
            kind, encoded = Path(each).read_text().split()[:2]
            if kind.startswith(("ssh-", "ecdsa-", "sk-")):
                return b64decode(encoded, validate=True)
    return None
