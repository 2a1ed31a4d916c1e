"""Sessions in sshd's log, as an independent count of a program's commands."""

from __future__ import annotations

import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from tests.lab.host import Host
from tests.lab.shell import CommandFailed

DROP_IN = "/etc/ssh/sshd_config.d/00-sessions.conf"
SECONDS = 20
# sshd-session since OpenSSH 9.8
JOURNAL = "journalctl --sync; journalctl --quiet --output=cat --identifier=sshd --identifier=sshd-session"
STARTED = re.compile(r"^Starting session: .* from \S+ port (?P<port>\d+) id \d+$")


class NoSessionLog(RuntimeError):
    """sshd did not begin to write its sessions down in time."""


@dataclass(frozen=True)
class Mark:
    """A place in a host's journal; sessions of the connection that set it don't count."""

    cursor: str
    port: str


def write_down(host: Host) -> None:
    """Have the host's sshd log every session that it starts (LogLevel VERBOSE), from now on."""
    host.run(f"echo 'LogLevel VERBOSE' > {DROP_IN} && systemctl reload ssh")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with suppress(CommandFailed):  # while it starts over nothing listens
            before = mark(host)
            host.run("true")
            if since(host, before):
                return
        time.sleep(0.05)
    raise NoSessionLog(f"{host.name}: sshd logs no session {SECONDS} s after its reload")


def mark(host: Host) -> Mark:
    """From here on."""
    port, _, cursor = _ask(host, f"{JOURNAL} --lines=1 --show-cursor | grep '^-- cursor: '").partition("\n")
    return Mark(cursor.strip().removeprefix("-- cursor: "), port)


def since(host: Host, begin: Mark) -> dict[str, int]:
    """Sessions that sshd started after the mark, of each connection (its port on this machine)."""
    port, _, lines = _ask(host, f"{JOURNAL} --after-cursor='{begin.cursor}'").partition("\n")
    ports = [found["port"] for found in map(STARTED.match, lines.splitlines()) if found]
    return dict(Counter(each for each in ports if each not in {port, begin.port}))


def _ask(host: Host, command: str) -> str:
    """The port that this connection comes from, and below it what the command says."""
    return host.run(f'set -- $SSH_CONNECTION; echo "$2"; {command}').stdout
