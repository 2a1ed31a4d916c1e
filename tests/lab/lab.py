"""The lab of one checkout: hosts `lab-1`, `lab-2`, … on a bridge of their own, with an internet of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.base import PACKAGES, bases
from tests.lab.cgroup import Cgroup
from tests.lab.host import Host
from tests.lab.internet.names import NAMES
from tests.lab.shell import step
from tests.lab.site import NoSuchState, Site

if TYPE_CHECKING:
    from tests.lab.internet.service import Internet

HOSTS = 14
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH_INSTANCES = 1024
NAME = re.compile(r"lab-([1-9]\d*)")


class Lab:
    """
    The lab whose state directory is `directory` (`.lab` in a checkout).

    Labs of other directories share the cache with it and nothing else: no lab touches another's hosts.
    """

    def __init__(self, directory: Path, *, with_internet: bool = True) -> None:
        self.site = Site(directory)
        self.with_internet = with_internet
        self._hosts: dict[str, Host] = {}

    @classmethod
    def here(cls) -> Lab:
        """The lab of the checkout that this file is part of, or the one that FLEETHANDS_LAB names."""
        checkout = Path(__file__).resolve().parents[2]
        return cls(checkout / os.environ.get("FLEETHANDS_LAB", ".lab"))

    def __getitem__(self, name: str) -> Host:
        """The host of that name, whether it is up or not."""
        found = NAME.fullmatch(name)
        if not found or int(found[1]) > HOSTS:
            raise KeyError(f"{name}: the lab's hosts are lab-1 to lab-{HOSTS}")
        return self._hosts.setdefault(name, Host(self.site, name, self._known_as))

    @property
    def gateway(self) -> str:
        """This machine's address on the bridge."""
        return self.site.network.gateway

    @property
    def gateway6(self) -> str:
        """The same over IPv6."""
        return self.site.network.gateway6

    @cached_property
    def internet(self) -> Internet:
        """What answers the hosts under the real names."""
        from tests.lab.internet.service import Internet  # noqa: PLC0415  (a lab without one does not need it)

        return Internet(self.site.directory / "internet", self.gateway)

    def up(self, *hosts: str | Mapping[str, str], count: int = 0) -> None:
        """
        Boot these hosts and the lab around them. Removes the remains of a killed lab first.

        A host that is up stays as it is. A stopped one boots with its disk. A new one is clean.

        + hosts: names, or names with the base system that a host must have: trixie or bookworm, whose hosts
          start over clean if they have the other one; trixie-nodocker, whose hosts always do
        + count: lab-1 to lab-`count` as well
        """
        wanted = _wanted(hosts, count)
        for name in wanted:
            self[name]
        with self.site.lock("lab"):
            self._ground()
            bases(self.site.disk, {base or self[name].suite for name, base in wanted.items()})
            self._clear_remains(wanted)
            with step(f"boot {', '.join(wanted)}"):
                _each(lambda name: self._boot(name, wanted[name]), wanted)

    def trim(self, count: int) -> None:
        """Shut down all hosts except lab-1 to lab-`count`."""
        extra = [name for name in self.running() if self[name].number > count]
        with self.site.lock("lab"):
            _each(lambda name: self[name].stop(), extra)

    def down(self) -> None:
        """
        Leave no process, mount, bridge, rule or loop device of this lab.

        The hosts' disks go too; saved states, base systems and keys stay.
        """
        with self.site.lock("lab"):
            Cgroup(self.site.group).kill()
            if not self.site.network.memory.exists():
                return  # it was never up
            for number in range(1, HOSTS + 1):
                self[f"lab-{number}"].kill()
            if self.with_internet:
                self.internet.stop()
            self.site.network.down()
            with self.site.disk.open():
                self.site.clear(self.site.hosts)
            self.site.disk.unmount()

    def running(self) -> list[str]:
        """The names of the hosts that run, in order."""
        names = filter(NAME.fullmatch, Cgroup(self.site.group).names())
        return sorted((name for name in names if self[name].is_running()), key=lambda name: self[name].number)

    def has_state(self, name: str) -> bool:
        """Whether a host can be restored to the state `name`."""
        return name == "clean" or name in self.states()

    def states(self) -> list[str]:
        """The names of all saved states, those that labs share included."""
        with self.site.disk.open():
            return self.site.state_names()

    def drop_state(self, name: str) -> None:
        """Forget the state `name`; nothing if there is none."""
        with self.site.disk.open(), suppress(NoSuchState):
            self.site.disk.delete(self.site.state(name))

    def _ground(self) -> None:
        """Disk, network, keys and the lab's internet are there."""
        _room_for_systemds()
        self.site.disk.mount()
        self.site.claim()
        self.site.network.up()
        self.__dict__.pop("internet", None)  # its address may be another now
        hosts = [self[f"lab-{number}"] for number in range(1, HOSTS + 1)]
        self.site.access.write({host.name: [host.address, host.address6] for host in hosts})
        if self.with_internet:
            self.internet.start()

    def _clear_remains(self, wanted: Iterable[str]) -> None:
        """Stop the remains of killed hosts. The boot of a wanted host does that itself."""
        for name in Cgroup(self.site.group).names():
            if NAME.fullmatch(name) and name not in wanted and not self[name].is_running():
                self[name].kill()

    def _boot(self, name: str, base: str | None) -> None:
        host = self[name]
        if base is None or (host.root.exists() and base == host.suite):
            host.boot()
        else:
            host.restore("clean", suite=base)

    def _known_as(self) -> dict[str, list[str]]:
        hosts = [self[f"lab-{number}"] for number in range(1, HOSTS + 1)]
        return {**{host.address: [host.name] for host in hosts}, self.gateway: list(NAMES)}


def _room_for_systemds() -> None:
    """
    Every guest's systemd, udev and Docker take inotify instances of this machine's root; 128, the kernel's default, is
    enough for ten hosts. A higher number costs nothing and stays until the machine restarts.
    """
    if int(INSTANCES.read_text()) < ENOUGH_INSTANCES:
        INSTANCES.write_text(str(ENOUGH_INSTANCES))


def _wanted(hosts: Iterable[str | Mapping[str, str]], count: int) -> dict[str, str | None]:
    """Host names, each with the base system that it must have, if any."""
    wanted: dict[str, str | None] = {f"lab-{number}": None for number in range(1, count + 1)}
    for entry in hosts:
        wanted.update({entry: None} if isinstance(entry, str) else entry)
    unknown = {base for base in wanted.values() if base is not None} - PACKAGES.keys()
    if unknown:
        raise ValueError(f"no base system {', '.join(sorted(unknown))}; there are {', '.join(PACKAGES)}")
    return wanted


def _each(act: Callable[[str], None], names: Iterable[str]) -> None:
    """Do it to all of them side by side; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=HOSTS) as pool:
        for done in [pool.submit(act, name) for name in names]:
            done.result()
