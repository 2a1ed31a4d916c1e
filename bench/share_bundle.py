"""
Six hosts want the same parts of a bundle, which the controller sends over one slow line.

Run as root: `python -m bench.share_bundle [MEBIBYTES]`.

The hosts are network namespaces as in `bench.share`. Each runs deliver.sh and the relay. Bytes are counted where the
controller writes them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.share import HOSTS, VICTIM, Site
from tests.helpers.delivering import Delivery

RATE = 10_000_000  # bytes a second of the line from the controller


def start_relay(site: Site, number: int) -> Path:
    """Its directory."""
    place = site.directory / str(number)
    run, parts = place / "share", place / "state/artifacts"
    for each in ("wanted", "internet", "silent", "kept"):
        (run / each).mkdir(parents=True)
    parts.mkdir(parents=True)
    site.start_relay(number, run, parts)
    return place


def measure(
    way: str, site: Site, contents: Sequence[bytes], hosts: Sequence[int], meanwhile: Callable[[], None] | None = None
) -> float:
    """Print a row of the table. Returns its seconds. + meanwhile: what happens to the hosts"""
    places = [start_relay(site, number) for number in hosts]
    time.sleep(1)
    begun, before = time.monotonic(), [site.sent(number) for number in hosts]
    running = [
        Delivery(place, contents, command=("ip", "netns", "exec", f"fhshare{number}"), rate=RATE).start()
        for number, place in zip(hosts, places, strict=True)
    ]
    if meanwhile is not None:
        meanwhile()
    codes = [each.finish(600) for each in running]
    seconds, size = time.monotonic() - begun, sum(map(len, contents))
    uploads = [site.sent(number) - at for number, at in zip(hosts, before, strict=True)]
    for number, code, each in zip(hosts, codes, running, strict=True):
        if number not in site.dead and (code or any(each.part(part).read_bytes() != part for part in contents)):
            raise SystemExit(f"{way}: host {number} has not got all parts: {each.said}")
    sent = sum(each.sent for each in running) / size
    print(f"| {way} | {sent:.2f} | {seconds:.1f} s | {max(uploads) / size:.2f} |", flush=True)
    site.stop(keep=1)
    for place in places:
        os.rename(place, f"{place}-{way}".replace(" ", "_"))
    return seconds


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    contents = [os.urandom(each) for each in ((size - 20) << 20, 18 << 20, 1 << 20, 300_000)]
    everyone = range(1, HOSTS + 1)
    with tempfile.TemporaryDirectory() as directory, Site(Path(directory), 1 << 20) as site:
        site.size = size << 20
        print("| way | from the controller | time | largest upload of a host |\n| --- | --- | --- | --- |")
        measure("one host", site, contents, [1])
        measure(f"{HOSTS} hosts", site, contents, everyone)
        measure(f"{HOSTS} hosts, host {VICTIM} is killed", site, contents, everyone, site.kill)


if __name__ == "__main__":
    main()
