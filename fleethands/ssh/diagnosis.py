"""Explains why a host could not be reached, with commands to try next."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Sequence

from paramiko import Transport

from fleethands.ssh.known_hosts import Verdict

Why = tuple[str, list[str]]  # a reason, and hints
NO_SSH_BANNER = "the server accepts the connection but sends no SSH banner: it is overloaded, or not an SSH server"
ALGORITHM_KINDS = {  # paramiko's name -> keyword of sshd_config(5), and paramiko's option for supported algorithms
    "kex algorithm": ("KexAlgorithms", "kex"),
    "ciphers": ("Ciphers", "ciphers"),
    "macs": ("MACs", "digests"),
    "host key": ("HostKeyAlgorithms", "key_types"),
}
USE_SSH_AGENT = "load the key into ssh-agent: `ssh-add`; or give `ssh_key_password`"


def explain_error(host: str, address: str, ssh: str, error: str) -> Why:
    """
    Reason and hints for an error of pyinfra's connectors (pyinfra 3.10, connectors/ssh.py).

    + address: the name or address that SSH connected to
    + ssh: the `ssh -v` command for this host
    """
    error = " ".join(error.split())
    text = error.lower()
    if host.startswith("@"):
        return error, []
    if "no acceptable " in text and (why := _explain_no_common_algorithm(text)):
        return why
    by_hand = f"try: `{ssh}`"
    known: dict[str, tuple[str, str]] = {
        "authentication timeout": ("the server accepts the connection but does not answer the login", by_hand),
        "authentication": (f"login refused: {error}", by_hand),
        "protocol banner": (NO_SSH_BANNER, by_hand),
        "no existing session": (NO_SSH_BANNER, by_hand),
        "second factor": (
            "the SSH server asks for a second factor after the key",
            "on the host, in sshd_config, for this user: `AuthenticationMethods publickey`",
        ),
        "would ask": (f"SSH needs interactive input, and fleethands never prompts: {_prompt(error)}", USE_SSH_AGENT),
        "is encrypted": (error, USE_SSH_AGENT),
        "could not resolve": (
            f"unknown host name: {address}",
            "correct the name in the inventory, or set `ssh_hostname`",
        ),
        "unable to connect": (f"no SSH server answers at {address}", f"is it up? `{ssh}`"),
        "timed out": (f"no answer from {address}", f"is it up, and its SSH port open to you? `{ssh}`"),
    }
    reason, hint = next((words for mark, words in known.items() if mark in text), (error, by_hand))
    return reason, [hint]


def _prompt(error: str) -> str:
    """What SSH would ask, of an error such as `would ask: Enter password`."""
    return error.partition("would ask: ")[2] or error


def _explain_no_common_algorithm(text: str) -> Why | None:
    name = next((name for name in ALGORITHM_KINDS if f"no acceptable {name}" in text), None)
    if name is None:
        return None
    keyword, kind = ALGORITHM_KINDS[name]
    with socket.socket() as unconnected:
        spoken = getattr(Transport(unconnected).get_security_options(), kind)
    return f"its SSH server allows no {keyword} that fleethands supports, though `ssh` may connect", [
        f"on the host, in sshd_config or sshd_config.d: add one to its `{keyword}`, for example {', '.join(spoken[:4])}"
    ]


def explain_refused_key(accept: str, name: str, verdict: Verdict, own: bool = True) -> Why:
    """
    A host key that is unknown, changed or revoked.

    + accept: the command that shows and accepts the new key, in backquotes
    + name: the host's name in known_hosts
    + own: whether the key is the host's own, and not a jump host's
    """
    line, whose = verdict.line, "its host key" if own else f"the host key of its jump host {name}"
    if verdict.status == "revoked":
        return f"{whose} is revoked: {line}", [
            "on the host, create new keys: rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh",
            f"then compare and accept the new one: {accept}",
        ]
    if line is not None:
        remove = ["sed", "-i", f"{line.number}d"] if set("*?!") & set(line.names) else ["ssh-keygen", "-R", name, "-f"]
        reason = f"{whose} changed: the host was reinstalled, or this is a man-in-the-middle attack"
        return reason, [f"only if you know why it changed: `{shlex.join([*remove, str(line.path)])}`, then {accept}"]
    if verdict.authority:
        fault = f"its certificate {verdict.fault}" if verdict.fault else "the authority has not signed it"
        reason = f"{whose} is not in known_hosts, and {fault} ({verdict.authority})"
        return reason, [f"ask the authority to sign the host's key, or compare the key and accept it: {accept}"]
    return f"{whose} is not in known_hosts", [f"compare and accept it: {accept}"]


def explain_silence(ssh: str, limit: str) -> Why:
    """
    A remote command that printed nothing for too long.

    + ssh: the command that connects to the host, here and below
    """
    return f"the command printed nothing for {limit}", [_look(ssh)]


def explain_timeout(ssh: str, limit: str) -> Why:
    """A remote command that took too long."""
    return f"the command did not end within {limit}", [_look(ssh)]


def explain_flood(ssh: str, reason: str) -> Why:
    """
    A host that sent too much.

    + reason: the message of the limit
    """
    return reason, [f"see whether its shell prints anything by itself: `{ssh} true`"]


def _look(ssh: str) -> str:
    return f"see what it is waiting for: `{ssh} ps -ef --forest`"


def explain_lost_connection(ssh: str, completing: Sequence[str] = ()) -> Why:
    """
    A connection that was lost during a command.

    + completing: hints that say how to finish what the command began
    """
    return "the SSH connection was lost", [f"is it up? `{ssh}`", *completing]
