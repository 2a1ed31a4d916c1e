"""How long SSH does not answer at one of a host's ports."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.lab import fleet
from tests.lab.host import Host

RELAYED = 40022  # in the range in which V1's sandboxes are published, and so closed over IPv6
# a stand-in for whatever takes SSH to sshd through another port of the host: a multiplexer, a bastion
RELAY = f"""
cat > /etc/systemd/system/door.socket <<'UNIT'
[Socket]
ListenStream=[::]:{RELAYED}
BindIPv6Only=ipv6-only
[Install]
WantedBy=sockets.target
UNIT
cat > /etc/systemd/system/door.service <<'UNIT'
[Service]
ExecStart=/usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:22
UNIT
systemctl daemon-reload
systemctl enable --quiet --now door.socket
"""


@dataclass
class Answers:
    """When SSH answered a new connection."""

    times: list[float] = field(default_factory=lambda: [time.monotonic()])

    def longest_gap(self) -> float:
        """Seconds, up to now."""
        ends = [*self.times[1:], time.monotonic()]
        return max(end - begin for begin, end in zip(self.times, ends, strict=True))

    def wait(self, seconds: float) -> None:
        """Until SSH answers again."""
        begun = time.monotonic()
        while self.times[-1] < begun:
            assert time.monotonic() - begun < seconds, f"SSH did not answer within {seconds:.0f} s"
            time.sleep(0.05)


def lets_in(name: str, options: Sequence[str]) -> bool:
    """Whether SSH lets us in by a new connection. A connection without a login would be punished by sshd."""
    config = str(fleet.ROOT / os.environ["FLEETHANDS_LAB"] / "ssh_config")
    line = ["ssh", "-F", config, "-o", "ConnectTimeout=2", *options, name, "true"]
    try:
        done = subprocess.run(line, capture_output=True, timeout=5, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def logging_in(name: str, options: Sequence[str]) -> Iterator[Answers]:
    """
    Log in to a host again and again.

    + options: of ssh
    """
    found, over = Answers(), threading.Event()

    def ask() -> None:
        while not over.wait(0.7):
            if lets_in(name, options):
                found.times.append(time.monotonic())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def relay(host: Host) -> None:
    """SSH also comes in through another port of the host."""
    host.run(RELAY)
