"""Connections through jump hosts or a ProxyCommand, and explanations of their failures."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from typing import Any

from paramiko import ChannelException, SSHException

from fleethands.ssh.diagnosis import Why, explain_refused_key
from fleethands.ssh.known_hosts import Verdict, entry_name
from fleethands.ssh.openssh import jump_command
from fleethands.ssh.processes import ProxyProcess
from fleethands.ssh.ssh_config import SshConfig, SshQuery
from fleethands.text.sanitize import sanitize_line

LIMIT = 20.0  # seconds for a jump host to reach the next host
Ask = Callable[[SshQuery], SshConfig]
LOOP_MARK = "jumphost loop via "
BUSY = ("kex_exchange_identification", "Connection closed by", "Connection reset by", "banner exchange")
_OFFENDING = re.compile(r"Offending \S+ key in (?P<path>.+):(?P<line>\d+)")
_OPEN_FAILED = re.compile(r"open failed: (?:connect failed: )?(?P<why>.+)")
# messages of `ssh` that explain no failure
_ASIDE = re.compile(r"@|Warning: Permanently added|\*\* |ssh_dispatch|Killed by signal")


class JumpHostError(SSHException):
    """
    A host is not reached through its jump hosts or its ProxyCommand.

    + why: reason and hints
    + busy: whether a server dropped the connection before its banner, so that a retry may succeed
    """

    def __init__(self, why: Why, busy: bool = False) -> None:
        super().__init__(why[0])
        self.why, self.busy = why, busy


def start_proxy(question: SshQuery, answer: SshConfig) -> ProxyProcess:
    """Start the program that connects through jump hosts or a ProxyCommand. Raises OSError."""
    if answer.command:
        # like ssh, by the user's shell
        return ProxyProcess([os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {answer.command}"])
    return ProxyProcess(jump_command(question, answer))


def explain_proxy_error(said: str, question: SshQuery, answer: SshConfig, ask: Ask) -> JumpHostError | None:
    """
    Why the program did not reach the host; None if it printed no message.

    + said: its messages, one per line
    + ask: returns the configuration of a jump host
    """
    lines = [line.strip() for line in said.splitlines() if line.strip() and not _ASIDE.match(line)]
    if not lines:
        return None
    by_hand = f"try: `{question.command('-v')}`"
    if answer.command:
        return JumpHostError((f"its ProxyCommand failed: {sanitize_line(lines[-1])}", [by_hand]))
    name = _name(question, answer, ask)
    busy = any(line.startswith(BUSY) for line in lines)
    return JumpHostError(_why("\n".join(lines), name, by_hand, question.command()), busy)


def _why(said: str, name: str, by_hand: str, command: str) -> Why:
    last, key = sanitize_line(said.splitlines()[-1]), f"the host key of its jump host {name}"
    if found := _OFFENDING.search(said):
        remove = shlex.join(["sed", "-i", f"{found['line']}d", found["path"]])
        return f"{key} changed: the host was reinstalled, or this is a man-in-the-middle attack", [
            f"only if you know why it changed: `{remove}`, then compare and accept the new one: `{command}`"
        ]
    if LOOP_MARK in said:
        return f"its jump host {name} is reached through itself: {last}", [loop_hint(name)]
    if "Host key verification failed" in said and "revoked" not in said:
        return explain_unknown_key(name, command)
    if failed := _OPEN_FAILED.search(said):
        last = sanitize_line(failed["why"])
    what = next((each for mark, each in MARKS.items() if mark in said), "its jump host {name}: {last}")
    return what.format(key=key, name=name, last=last), [by_hand]


MARKS = {
    "revoked": "{key} is revoked in known_hosts",
    "Permission denied": "its jump host {name} refuses the login: {last}",
    "forwarding failed": "its jump host {name} cannot reach the host: {last}",
}


def explain_unknown_key(name: str, command: str) -> Why:
    """
    A jump host whose key is not in known_hosts.

    + command: the `ssh` command that prompts for the key
    """
    return f"the host key of its jump host {name} is not in known_hosts", [f"compare and accept it: `{command}`"]


def explain_jump_key(name: str, verdict: Verdict, command: str) -> Why:
    """A jump host whose key is not accepted, without `ssh`."""
    if verdict.status == "new":
        return explain_unknown_key(name, command)
    return explain_refused_key(f"`{command}`", name, verdict, own=False)


def _name(question: SshQuery, answer: SshConfig, ask: Ask) -> str:
    """The jump host's name in known_hosts; several jump hosts as written in the configuration."""
    if "," in answer.jump:
        return answer.jump
    user, host, port = parse_hop(answer.jump)
    try:
        found = ask(SshQuery(host, port, user, question.config))
    except (SSHException, OSError, ValueError):
        return answer.jump
    return answer.jump if found.jump else found.alias or entry_name(found.hostname, found.port)


def parse_hop(hop: str) -> tuple[str | None, str, int | None]:
    """User, host and port of `[user@]host[:port]`, with or without `ssh://`."""
    user, _, place = hop.removeprefix("ssh://").rpartition("@")
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = place.partition(":") if place.count(":") == 1 else (place, "", "")
    return user or None, host, int(port) if port.isdecimal() else None


def check_no_loop(question: SshQuery, answer: SshConfig, ask: Ask) -> None:
    """
    Raise JumpHostError for jump hosts that lead back to each other: `ssh` would start processes without end.
    """
    jump, seen = answer.jump, set[SshQuery]()
    while jump:
        user, host, port = parse_hop(jump.split(",")[0])
        hop = SshQuery(host, port, user, question.config)
        if hop in seen:
            raise JumpHostError((f"its jump host {host} is reached through itself", [loop_hint(host)]))
        seen.add(hop)
        jump = ask(hop).jump


def loop_hint(name: str) -> str:
    """A hint that ends a loop of jump hosts."""
    return f"in the ssh configuration, above the `ProxyJump` line: `Host {name}` and `ProxyJump none`"


def open_channel(question: SshQuery, answer: SshConfig, ask: Ask, connect: Callable[[SshQuery, Any], Any]) -> Any:
    """
    Open a channel through each jump host in turn, without `ssh`.

    + ask: returns the configuration of a jump host
    + connect: logs in to one host, through a channel or directly, and returns its transport

    Raises JumpHostError, and what `connect` raises.
    """
    hops = [parse_hop(each) for each in answer.jump.split(",")]
    asked = [SshQuery(host, port, user, question.config) for user, host, port in hops]
    found = [*(ask(each) for each in asked[1:]), answer]
    way = None
    for each, after in zip(asked, found, strict=True):
        transport = connect(each, way)
        target = (after.hostname, after.port)
        try:
            way = transport.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=LIMIT)
        except ChannelException as error:
            why = f"its jump host {each.name} cannot reach {target[0]}: {error.text}"
            raise JumpHostError((why, [f"try: `{question.command('-v')}`"])) from error
    return way
