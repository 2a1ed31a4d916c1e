"""
Six hosts want the same file: each by itself, and from their neighbors.

Run as root: `python -m bench.share [MEBIBYTES] [--faults] [--short]`.

The hosts are network namespaces on one bridge with shaped links: the internet has 80 Mbit/s, each host 160 Mbit/s.
Bytes are counted at the links. Nothing of this needs the lab.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleethands.operations.share import programs
from fleethands.share.chain import PORT, Member, host_rows, neighbor_rows

HOSTS = 6
VICTIM = 3
TOKEN = "t" * 40
LIE = "        substr($c->{out}, 0, 1) ^= chr 1;\n"
INTERNET, LAN = "80mbit", "160mbit"
SERVER = """
import http.server, os, re, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        size = os.stat(sys.argv[1]).st_size
        found = re.match(r"bytes=(\\d+)-", self.headers.get("Range", ""))
        at = int(found[1]) if found else 0
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(size - at))
        self.send_header("Content-Range", f"bytes {at}-{size - 1}/{size}")
        self.end_headers()
        with open(sys.argv[1], "rb") as file:
            while at < size and (sent := os.sendfile(self.connection.fileno(), file.fileno(), at, 1 << 20)): at += sent
http.server.ThreadingHTTPServer(("10.77.0.100", 80), Handler).serve_forever()
"""
DOWNLOAD = """
name=$directory/sha256-$digest
perl "$run/ask_neighbors.pl" >"$run/said" 2>&1 && exit
touch "$run/internet/$digest"
process=$$ perl "$run/hash_pieces.pl" & hasher=$!
curl -sf -C - -o "$name.part" http://10.77.0.100/ && [ "$(sha256sum <"$name.part")" = "$digest  -" ] &&
  mv "$name.part" "$name"
ended=$?
wait "$hasher"
exit "$ended"
"""


@dataclass(frozen=True)
class Outcome:
    """
    One way to bring the file to the hosts.

    + internet: bytes from the internet, in files; upload: the same that one host sent, at most
    """

    way: str
    seconds: float
    internet: float
    upload: float

    def row(self, alone: float) -> str:
        figures = f"{self.internet:.2f} | {self.seconds:.1f} s | {self.seconds / alone:.2f} | {self.upload:.2f}"
        return f"| {self.way} | {figures} |"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Site:
    """The namespaces, their files and their programs."""

    def __init__(self, directory: Path, size: int) -> None:
        self.directory, self.size = directory, size
        self.file = directory / "file"
        with self.file.open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
        self.digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.dead: set[int] = set()
        self.relay = {number: programs.relay() for number in range(1, HOSTS + 1)}

    def __enter__(self) -> Site:
        ip("link", "add", "fhshare", "type", "bridge")
        ip("link", "set", "fhshare", "up")
        for number in (*range(1, HOSTS + 1), 100):
            self._add_namespace(number)
        self.start(100, [sys.executable, "-c", SERVER, str(self.file)])
        time.sleep(0.5)
        return self

    def _add_namespace(self, number: int) -> None:
        name, link = f"fhshare{number}", f"fhs{number}"
        ip("netns", "add", name)
        ip("link", "add", link, "type", "veth", "peer", "name", "lan", "netns", name)
        ip("link", "set", link, "master", "fhshare", "up")
        ip("-n", name, "address", "add", f"10.77.0.{number}/24", "dev", "lan")
        for word in ("lo", "lan"):
            ip("-n", name, "link", "set", word, "up")
        rate = INTERNET if number == 100 else LAN
        shape = ["root", "tbf", "rate", rate, "burst", "256kb", "latency", "50ms"]
        subprocess.run(["tc", "qdisc", "replace", "dev", link, *shape], check=True)
        subprocess.run(["tc", "-n", name, "qdisc", "replace", "dev", "lan", *shape], check=True)

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number in (*range(1, HOSTS + 1), 100):
            subprocess.run(["ip", "netns", "delete", f"fhshare{number}"], check=False)
        subprocess.run(["ip", "link", "delete", "fhshare"], check=False)

    def stop(self, keep: int = 0) -> None:
        """End the programs, except the first ones."""
        for each in self.processes[keep:]:
            each.kill()
            each.wait()
        del self.processes[keep:]

    def start(self, number: int, words: Sequence[str], **variables: str) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ["PATH"], **variables}
        process = subprocess.Popen(["ip", "netns", "exec", f"fhshare{number}", *words], env=environment)
        self.processes.append(process)
        return process

    def sent(self, number: int) -> int:
        """Bytes that came from a namespace."""
        return int(Path(f"/sys/class/net/fhs{number}/statistics/rx_bytes").read_text())

    def measure(
        self,
        way: str,
        hosts: Sequence[int],
        download: Callable[[int], subprocess.Popen[bytes]],
        meanwhile: Callable[[], None] | None = None,
    ) -> Outcome:
        """Let the hosts get the file. + meanwhile: what happens to them"""
        for number in range(1, HOSTS + 1):
            shutil.rmtree(self.directory / str(number), ignore_errors=True)
            for each in ("parts", "run/wanted", "run/internet", "run/silent"):
                (self.directory / str(number) / each).mkdir(parents=True)
        before, begun = [self.sent(number) for number in (*range(1, HOSTS + 1), 100)], time.monotonic()
        running = [download(number) for number in hosts]
        if meanwhile is not None:
            meanwhile()
        if any(each.wait() for number, each in zip(hosts, running, strict=True) if number not in self.dead):
            raise SystemExit(f"{way}: a host has not got the file")
        seconds = time.monotonic() - begun
        *uploads, internet = [
            self.sent(number) - at for number, at in zip((*range(1, HOSTS + 1), 100), before, strict=True)
        ]
        for number in set(hosts) - self.dead:
            (found,) = (self.directory / str(number) / "parts").glob("sha256-*[0-9a-f]")
            if hashlib.sha256(found.read_bytes()).hexdigest() != self.digest:
                raise SystemExit(f"{way}: host {number} has other bytes")
        self.stop(keep=1)
        return Outcome(way, seconds, internet / self.size, max(uploads) / self.size)

    def today(self, number: int) -> subprocess.Popen[bytes]:
        """Each host downloads by itself."""
        path = self.directory / str(number) / "parts" / f"sha256-{self.digest}"
        return self.start(number, ["curl", "-sf", "-o", str(path), "http://10.77.0.100/"])

    def start_relay(self, number: int, run: Path, parts: Path) -> None:
        """The relay of a host. + run: its directory, which has the directories of marks already"""
        members = [Member(str(each), f"10.77.0.{each}") for each in range(1, HOSTS + 1)]
        texts = {
            "neighbors": f"token {TOKEN}\n{neighbor_rows(members, number - 1)}\n",
            "hosts": f"{host_rows(members, number - 1)}\n",
            "tokens": f"{TOKEN}\n",
            "ask_neighbors.pl": programs.ask_neighbors(),
            "hash_pieces.pl": programs.hash_pieces(),
            "relay.pl": self.relay[number],
        }
        for name, text in texts.items():
            (run / name).write_text(text)
        variables = {"run": str(run), "parts": str(parts), "store": "", "owner": "0", "rate": "0", "idle": "600"}
        self.start(number, ["perl", str(run / "relay.pl")], address=f"10.77.0.{number}", port=str(PORT), **variables)

    def shared(self, number: int) -> subprocess.Popen[bytes]:
        """A host asks its neighbors first."""
        place = self.directory / str(number)
        run, parts = place / "run", place / "parts"
        (run / "wanted" / self.digest).touch()
        self.start_relay(number, run, parts)
        return self.start(
            number, ["sh", "-c", DOWNLOAD], directory=str(parts), digest=self.digest, size=str(self.size), run=str(run)
        )

    def kill(self) -> None:
        """One host dies in the middle, with its files."""
        time.sleep(self.size / 1e7 / 3)
        self.dead.add(VICTIM)
        inside = subprocess.run(["ip", "netns", "pids", f"fhshare{VICTIM}"], capture_output=True, text=True, check=True)
        subprocess.run(["kill", "-KILL", *inside.stdout.split()], check=False)

    def lie(self) -> None:
        """One host changes a byte of each block that it serves."""
        before = "        $c->{left} -= $count;\n"
        self.relay[VICTIM] = programs.relay().replace(before, before + LIE)

    def hide(self, on: bool) -> None:
        """No other host reaches one host."""
        rules = "table ip hide { chain in { type filter hook input priority 0; tcp dport 11439 drop; }; }"
        command = ["nft", rules] if on else ["nft", "delete", "table", "ip", "hide"]
        subprocess.run(["ip", "netns", "exec", f"fhshare{VICTIM}", *command], check=True)


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    everyone = range(1, HOSTS + 1)
    with tempfile.TemporaryDirectory() as directory, Site(Path(directory), size << 20) as site:
        alone = site.measure("one host alone", [1], site.today)
        print(
            "| way | from the internet | time | times one host | largest upload of a host |\n"
            "| --- | --- | --- | --- | --- |"
        )
        print(alone.row(alone.seconds))
        print(site.measure(f"{HOSTS} hosts, shared", everyone, site.shared).row(alone.seconds), flush=True)
        if "--faults" in sys.argv:
            measure_faults(site, alone.seconds)
        if "--short" not in sys.argv:
            print(site.measure(f"{HOSTS} hosts, each by itself", everyone, site.today).row(alone.seconds))


def measure_faults(site: Site, alone: float) -> None:
    """The same with one host that fails in some way."""
    everyone = range(1, HOSTS + 1)
    site.lie()
    print(site.measure(f"shared, host {VICTIM} sends wrong bytes", everyone, site.shared).row(alone), flush=True)
    site.relay[VICTIM] = programs.relay()
    site.hide(True)
    print(site.measure(f"shared, host {VICTIM} can't be reached", everyone, site.shared).row(alone), flush=True)
    site.hide(False)
    print(site.measure(f"shared, host {VICTIM} is killed", everyone, site.shared, site.kill).row(alone), flush=True)
    site.dead.clear()


if __name__ == "__main__":
    main()
