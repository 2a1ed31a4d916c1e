"""
Six lab hosts with Ollama want the same model: one alone, all from their neighbors, and each by itself.

Run as root: `python -m bench.share_lab [--faults]`. The links are shaped with tc: the internet has 40 Mbit/s, each host
80 Mbit/s in each direction. At twice as much, two cores that hash and copy for six hosts are the limit. Bytes are
counted at the links, so they include SSH.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.internet import store
from tests.lab.internet.models import Model
from tests.lab.lab import Lab
from tests.lab.many import QUIET, brought
from tests.lab.prepare import ready
from tests.lab.shell import run, step

from .hosts import DIRECTORY
from .share import HOSTS, LIE, VICTIM, Outcome

STATE = "bench-share"
LARGE = Model("library/large", "latest", seed=11, padding=512)
MODELS = "/usr/share/ollama/.ollama/models"
MANIFEST = f"{MODELS}/manifests/registry.ollama.ai/library/large/latest"
RIGHT = f'cd {MODELS}/blobs && for each in sha256-*; do echo "${{each#sha256-}}  $each"; done | sha256sum --quiet -c'
INTERNET, LAN = "40mbit", "80mbit"
PATIENCE = 1800  # seconds for the model on one host
SHAPE = ("root", "tbf", "rate", "{rate}", "burst", "256kb", "latency", "50ms")
HIDE = "nft 'table inet hide { chain in { type filter hook input priority -10; tcp dport 11439 drop; }; }'"
LYING_PERL = f"""#!/bin/sh
case $1 in
  */relay.pl) exec /usr/bin/perl.real -e "$(sed 's/^        $c->{{left}} -= $count;$/&{LIE.strip()}/' "$1")" ;;
esac
exec /usr/bin/perl.real "$@"
"""
LIES = "until pgrep -f '[p]erl.real -e .*chr 1' >/dev/null; do sleep 0.1; done"
Run = Popen[str]


class Site:
    """The hosts of the lab, their links, and the model."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.hosts: dict[str, Host] = {}
        self.size = 0

    def prepare(self) -> None:
        """lab-1 to lab-6 serve Ollama, and the lab's registry has the model."""
        ready(self.lab, count=HOSTS)
        store.offered(LARGE, self.lab.internet.registry)
        self.size = LARGE.padding * 1_000_000
        first = self.lab["lab-1"]
        with step("one host with Ollama"):
            first.restore("clean")
            done = fleet.apply("lab-1", **QUIET)
            if done.code:
                raise SystemExit(done.said)
            first.save(STATE)

    @property
    def names(self) -> list[str]:
        return [f"lab-{number}" for number in range(1, HOSTS + 1)]

    def measure(
        self, way: str, names: Sequence[str], share: bool, meanwhile: Callable[[Run], str] | None = None
    ) -> Outcome:
        """Apply the model to some hosts. + meanwhile: a fault, which gives the name of the host that it ends"""
        with step(way):
            self.hosts = brought(self.lab, HOSTS, STATE)
            with self._shaped():
                return self._measure(way, names, share, meanwhile)

    def _measure(self, way: str, names: Sequence[str], share: bool, meanwhile: Callable[[Run], str] | None) -> Outcome:
        data: dict[str, Any] = {**QUIET, "models": ["codellama:7b", "large"], "share": share, "site": "lab"}
        before, begun = self._sent(), time.monotonic()
        process = fleet.begin("apply", hosts=",".join(names), **data)
        ended = meanwhile(process) if meanwhile else ""
        others = [self.hosts[name] for name in names if name != ended]
        with ThreadPoolExecutor(HOSTS) as pool:
            list(pool.map(_await_model, others))
        seconds, (internet, *uploads) = time.monotonic() - begun, self._more_than(before)
        said = process.communicate(timeout=300)[0]
        if process.returncode != (-signal.SIGKILL if meanwhile == self.kill_controller else 1 if ended else 0):
            raise SystemExit(f"{way}: exit {process.returncode}\n{said}")
        for host in others:
            host.run(RIGHT, timeout=120)
        return Outcome(way, seconds, internet / self.size, max(uploads) / self.size)

    @contextmanager
    def _shaped(self) -> Iterator[None]:
        bridge = self.lab.site.network.bridge
        _shape([bridge], INTERNET)
        _shape([f"vb-{bridge}-{host.number}" for host in self.hosts.values()], LAN)
        for host in self.hosts.values():
            host.run(f"tc qdisc replace dev host0 {' '.join(SHAPE).format(rate=LAN)}")
        try:
            yield
        finally:
            run("tc", "qdisc", "delete", "dev", bridge, "root")

    def _sent(self) -> list[int]:
        """Bytes that left this machine, and each of the hosts."""
        bridge = self.lab.site.network.bridge
        ports = [f"vb-{bridge}-{number}/statistics/rx_bytes" for number in range(1, HOSTS + 1)]
        return [_count(path) for path in (f"{bridge}/statistics/tx_bytes", *ports)]

    def _more_than(self, before: Sequence[int]) -> list[int]:
        return [now - at for now, at in zip(self._sent(), before, strict=True)]

    def kill_host(self, _: Run) -> str:
        """A host dies in the middle."""
        victim = self.lab[f"lab-{VICTIM}"]
        _await_growth(victim)
        time.sleep(self.size / 1e7 / 3)
        victim.kill()
        return victim.name

    def kill_controller(self, process: Run) -> str:
        """The controller dies in the middle."""
        _await_growth(self.lab[f"lab-{VICTIM}"])
        time.sleep(self.size / 1e7 / 3)
        os.killpg(process.pid, signal.SIGKILL)
        return ""

    def hide(self, _: Run) -> str:
        """No other host reaches the relay of one."""
        self.lab[f"lab-{VICTIM}"].run(HIDE)
        return ""

    def lie(self, _: Run) -> str:
        """The relay of one host changes a byte of each block that it serves."""
        victim = self.lab[f"lab-{VICTIM}"]
        victim.run("cp -a /usr/bin/perl /usr/bin/perl.real && cat >/usr/bin/perl.new", stdin=LYING_PERL)
        victim.run("chmod 755 /usr/bin/perl.new && mv /usr/bin/perl.new /usr/bin/perl")
        victim.run(LIES, timeout=60)
        return ""


def _shape(devices: Sequence[str], rate: str) -> None:
    for each in devices:
        run("tc", "qdisc", "replace", "dev", each, *(word.format(rate=rate) for word in SHAPE))


def _count(path: str) -> int:
    try:
        return int(Path("/sys/class/net", path).read_text())
    except FileNotFoundError:  # of a host that was killed
        return 0


def _await_model(host: Host) -> None:
    """Until the host has the whole model under its name."""
    host.run(f"until [ -e {MANIFEST} ]; do sleep 0.1; done", timeout=PATIENCE)


def _await_growth(host: Host) -> None:
    host.run("until ls /var/lib/fleethands/artifacts/*.part >/dev/null 2>&1; do sleep 0.1; done", timeout=120)


def main() -> None:
    """Print a row for each way."""
    site = Site(Lab(Path(__file__).parents[1] / os.environ.setdefault("FLEETHANDS_LAB", DIRECTORY)))
    site.prepare()
    alone = site.measure("one host alone", site.names[:1], share=False)
    print(alone.row(alone.seconds), flush=True)
    print(site.measure(f"{HOSTS} hosts, shared", site.names, share=True).row(alone.seconds), flush=True)
    if "--faults" in sys.argv:
        for way, fault in (
            (f"shared, host {VICTIM} is killed", site.kill_host),
            (f"shared, host {VICTIM} sends wrong bytes", site.lie),
            (f"shared, host {VICTIM} can't be reached by the others", site.hide),
            ("shared, the controller is killed", site.kill_controller),
        ):
            print(site.measure(way, site.names, share=True, meanwhile=fault).row(alone.seconds), flush=True)
    print(site.measure(f"{HOSTS} hosts, each by itself", site.names, share=False).row(alone.seconds), flush=True)


if __name__ == "__main__":
    main()
