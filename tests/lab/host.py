"""One host of the lab: a real Debian, reached over SSH like any other, that can be put into a saved state."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.lab import guest, outward
from tests.lab.machine import Machine
from tests.lab.shell import CommandFailed, run
from tests.lab.site import Site

BOOT_SECONDS = 90
STOP_SECONDS = 30
DEAD_SECONDS = 5  # a host that reboots has no process for a moment


class BootFailed(RuntimeError):
    """The host did not come up in time; the end of its console is in the message."""


class Host:
    """The host `name` (`lab-N`) of a lab. It need not be up, nor exist yet."""

    def __init__(self, site: Site, name: str, known_as: Callable[[], dict[str, list[str]]]) -> None:
        self.name = name
        self.number = int(name.removeprefix("lab-"))
        self.root = site.hosts / name
        self._site = site
        self._known_as = known_as  # address -> names, for its /etc/hosts
        self._machine = Machine(
            name=f"{site.group}-{self.number}",
            hostname=name,
            root=self.root,
            bridge=site.network.bridge,
            group=f"{site.group}/{name}",
            console=site.directory / "log" / f"{name}.console",
        )

    @property
    def address(self) -> str:
        """Its IPv4 address on the bridge; the same in every state."""
        return self._site.network.address(self.number)

    @property
    def address6(self) -> str:
        """Its IPv6 address."""
        return self._site.network.address6(self.number)

    @property
    def suite(self) -> str:
        """The code name of its Debian; before its first boot that of the one it would get."""
        return guest.suite(self.root) if self.root.exists() else "trixie" if self.number % 3 else "bookworm"

    def run(
        self,
        command: str,
        *,
        check: bool = True,
        timeout: float = 60,
        stdin: str | bytes | None = None,
        user: str = "root",
    ) -> subprocess.CompletedProcess[str]:
        """
        Run a shell command on the host, over SSH with its key checked.

        + user: `root`, `admin` (sudo without a password) or `plain` (no sudo)
        + timeout: seconds; CommandFailed after it, as for a status other than 0 (unless check=False)
        """
        words = ("ssh", "-F", self._site.access.config, "-l", user, self.name, command)
        return run(*words, check=check, timeout=timeout, stdin=stdin)

    def boot(self) -> None:
        """Up, as it was left (clean at first), and its default target reached. Nothing if it is up."""
        with self._lock():
            if self._machine.supervised():
                self._site.network.plug(self._machine.veth)
            if self.is_up():
                return
            self._machine.power_off()
            if not self.root.exists():
                self._site.disk.snapshot(self._site.base(self.suite), self.root)
            self._identity().apply(self.root)
            self._machine.start()
            self._wait_ready()

    def stop(self) -> None:
        """Shut it down in order."""
        with self._lock():
            self._machine.shut_down(STOP_SECONDS)

    def kill(self) -> None:
        """Cut its power."""
        with self._lock():
            self._machine.power_off()

    def reboot(self) -> None:
        """Have it reboot itself; back when it is up again."""
        with self._lock():
            before = self._boot_id()
            self.run("systemctl reboot", check=False, timeout=STOP_SECONDS)
            self._until(lambda: self._boot_id() not in {"", before}, STOP_SECONDS + BOOT_SECONDS)
            self._wait_ready()

    def is_up(self) -> bool:
        """Whether it runs and its sshd lets us in."""
        return self.is_running() and self._boot_id() != ""

    def is_running(self) -> bool:
        """Whether it has power, whatever it does with it."""
        return self._machine.supervised()

    def save(self, name: str, *, shared: bool = False) -> None:
        """
        Keep what is on its disk as the state `name`, in the place of an older one. A host that is up is shut
        down for it and booted again, so the state is one that a host starts from.

        + shared: for every lab on this machine; put a `cache.key` of what went into it in the name
        """
        place = self._site.place_for_state(name, shared)
        with self._lock():
            was_running = self.is_running()
            self.stop()
            self._site.disk.snapshot(self.root, place, read_only=True)
            if was_running:
                self.boot()

    def restore(self, name: str, *, suite: str | None = None) -> None:
        """
        Throw its disk away and boot it in the state `name`, whichever host that was saved on.

        + name: `clean` for its base system
        + suite: with `clean`, another base system: trixie, bookworm, trixie-nodocker
        """
        source = self._site.base(suite or self.suite) if name == "clean" else self._site.state(name)
        with self._lock():
            self._machine.power_off()
            self._site.disk.snapshot(source, self.root)
            self.boot()

    def unplug(self) -> None:
        """Make it unreachable: it runs on, and no packet comes in or out."""
        self._site.network.unplug(self._machine.veth)

    def plug(self) -> None:
        """Reachable again."""
        self._site.network.plug(self._machine.veth)

    @contextmanager
    def out_of_disk(self, path: str, size: str) -> Iterator[None]:
        """
        For the time of a `with`: a directory of its own small file system, with what the directory held.

        + size: as tmpfs reads it; what the directory held counts
        """
        self.run(
            f"cp -a {path} {path}.whole && mount -t tmpfs -o size={size} tmpfs {path}"
            f" && cp -a {path}.whole/. {path}/ && chown --reference={path}.whole {path}"
        )
        try:
            yield
        finally:
            self.run(f"umount -l {path} && rm -rf {path}.whole")

    @contextmanager
    def outward(self) -> Iterator[None]:
        """For as long as this lasts it reaches what this machine reaches, real Debian packages included."""
        self._site.network.outward(self.address, on=True)
        try:
            outward.open_up(self)
            yield
        finally:
            outward.close(self)
            self._site.network.outward(self.address, on=False)

    def _lock(self) -> AbstractContextManager[object]:
        return self._site.lock(self.name)

    def _identity(self) -> guest.Identity:
        network, access = self._site.network, self._site.access
        return guest.Identity(
            name=self.name,
            machine=self._machine.name,
            address=self.address,
            address6=self.address6,
            gateway=network.gateway,
            gateway6=network.gateway6,
            host_key=access.host_key(self.name),
            authorized_key=access.authorized_key(),
            names=self._known_as(),
        )

    def _boot_id(self) -> str:
        """Which boot of it answers over SSH; empty when none does."""
        if not self._listens():
            return ""
        try:
            return self.run("cat /proc/sys/kernel/random/boot_id", check=False, timeout=15).stdout.strip()
        except CommandFailed:
            return ""

    def _wait_ready(self) -> None:
        self._until(self._is_ready, BOOT_SECONDS)

    def _is_ready(self) -> bool:
        """Whether systemd has got as far as it will: a unit that failed is no reason to wait."""
        if not self._listens():
            return False
        asked = self.run("systemctl is-system-running --wait", check=False, timeout=BOOT_SECONDS)
        return asked.stdout.strip() in {"running", "degraded"}

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.address, 22), timeout=0.3).close()
        except OSError:
            return False
        return True

    def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Ask again until it holds; BootFailed when time is up or the host has died."""
        now = seen = time.monotonic()
        deadline = now + seconds
        while not holds():
            now = time.monotonic()
            seen = now if self.is_running() else seen
            if now > deadline or now - seen > DEAD_SECONDS:
                tail = "\n".join(self._machine.console.read_text(errors="replace").splitlines()[-20:])
                raise BootFailed(f"{self.name}: not up after {seconds - (deadline - now):.0f} s\n{tail}")
            time.sleep(0.05)
