"""Why a host could not be reached, in words, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fleethands.rollout.known_hosts import Verdict

Why = tuple[str, list[str]]  # a reason, and hints
MUTE = "it takes the connection, and then says nothing: no SSH server, or one that is overloaded"
HANDS_FREE = "load the key into ssh-agent: `ssh-add`; or give `ssh_key_password`"


def diagnosis(words: str, host: str, address: str, error: str) -> Why:
    """
    Reason and hints for what pyinfra's connectors say (pyinfra 3.10, connectors/ssh.py).

    + words: target and options, as the next command takes them
    + address: what SSH was asked to reach, where it differs from the host's name
    """
    error = " ".join(error.split())
    text = error.lower()
    if host.startswith("@"):
        return error, []
    trust, by_hand = f"fleethands trust {words}", f"try by hand: `ssh -v {address}`"
    known: dict[str, tuple[str, str]] = {
        "no host key for": ("its host key is not known here", f"compare and accept it: `{trust}`"),
        "authentication timeout": ("it takes the connection, but does not answer the login", by_hand),
        "authentication": (f"login refused: {error}", by_hand),
        "protocol banner": (MUTE, by_hand),
        "no existing session": (MUTE, by_hand),
        "second factor": (
            "it asks a person for a second factor after the key",
            "on the host, in sshd_config, for this user: `AuthenticationMethods publickey`",
        ),
        "would ask": (f"it is not reached without a person: SSH {error}", HANDS_FREE),
        "is encrypted": (error, HANDS_FREE),
        "could not resolve": (
            f"its name is not known: {address}",
            "correct the name in the inventory, or give `ssh_hostname`",
        ),
        "unable to connect": (f"no SSH server answers at {address}", f"is it up? `ssh -v {address}`"),
        "timed out": (f"no answer from {address}", f"is it up, and port 22 open to you? `ssh -v {address}`"),
    }
    reason, hint = next((words for mark, words in known.items() if mark in text), (error, by_hand))
    return reason, [hint]


def unknown_jump_host(jump_host: str, address: str, config: str | None) -> Why:
    """A host that is reached through another one, whose key is not known."""
    by_hand = f"ssh -F {config} {address}" if config else f"ssh {address}"
    return f"the host key of its jump host {jump_host} is not known here", [f"compare and accept it: `{by_hand}`"]


def refused_key(words: str, name: str, verdict: Verdict, own: bool = True) -> Why:
    """
    A host key that its known_hosts files speak against.

    + name: the host's in these files
    + own: it is the key of the host itself, not of a jump host before it
    """
    line, whose = verdict.line, "its host key" if own else f"the host key of its jump host {name}"
    trust = f"`fleethands trust {words}`" if own else f"`ssh {name}`"
    if verdict.status == "revoked":
        return f"{whose} is revoked: {line}", [
            "on the host, make others: rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh",
            f"then compare and accept the new one: {trust}",
        ]
    if line is not None:
        remove = ["sed", "-i", f"{line.number}d"] if set("*?!") & set(line.names) else ["ssh-keygen", "-R", name, "-f"]
        reason = f"{whose} is not the one that is known: it was reinstalled, or somebody stands between"
        return reason, [f"only if you know why: `{shlex.join([*remove, str(line.path)])}`, then {trust}"]
    reason = f"{whose} is not known here, and its certificate is not read ({verdict.authority})"
    return reason, [f"compare the key itself, and accept it: {trust}"]


def silent(address: str, limit: str) -> Why:
    """A remote command that was given up."""
    return f"it said nothing for {limit}, and was given up", [_look(address)]


def slow(address: str, limit: str) -> Why:
    """A remote command that did not come to its end in time."""
    return f"it had not answered after {limit}, and was given up", [_look(address)]


def flooding(address: str, reason: str) -> Why:
    """
    A host that sent more than it may.

    + reason: in words that begin with "it"
    """
    return reason, [f"see whether its shell talks when nobody asks: `ssh {shlex.quote(address)} true`"]


def _look(address: str) -> str:
    return f"see what holds it up: `ssh {shlex.quote(address)} ps -ef --forest`"


def gone(address: str, completing: Sequence[str] = ()) -> Why:
    """
    A connection that ended under a command.

    + completing: hints on how what was begun there is completed
    """
    return "the connection to it was lost", [f"is it up? `ssh -v {shlex.quote(address)}`", *completing]
