"""`make pictures`: docs/pictures, made from real commands on three fresh hosts of the lab."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from tests.helpers.terminal import frames, svg
from tests.lab import fleet
from tests.lab.browser import browser, missing
from tests.lab.host import BootFailed
from tests.lab.lab import Lab
from tests.lab.prepare import ready, unfit
from tests.lab.shell import CommandFailed, step

HOSTS = ("lab-1", "lab-2", "lab-3")
PLACE = fleet.ROOT / "docs/pictures"
COLUMNS = 100
CHANGE = "ollama_keep_alive=1h"  # whose plan is shown
LARGEST = 300_000  # bytes of all pictures
CODES = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
AT_WORK = re.compile(r"^lab-[0-9] .* [0-9]+:[0-9]{2}:[0-9]{2}", re.MULTILINE)


def main() -> int:
    """Replace all pictures, or none."""
    if reason := unfit() or ("no chromium here: sh tests/lab/packages.sh chromium" if missing() else ""):
        print(f"error: {reason}", file=sys.stderr)
        return 1
    os.environ["FLEETHANDS_LAB"] = ".lab/pictures"
    lab = Lab.here()
    try:
        with step("the lab"):
            ready(lab, *HOSTS)
            for name in HOSTS:
                lab[name].restore("clean")
        with tempfile.TemporaryDirectory() as report:
            made = _take(Path(report))
    finally:
        lab.down()
    if (size := sum(map(len, made.values()))) > LARGEST:
        print(f"error: {size} bytes of pictures, at most {LARGEST}", file=sys.stderr)
        return 1
    PLACE.mkdir(exist_ok=True)
    for name, content in made.items():
        (PLACE / name).write_bytes(content)
        print(f"docs/pictures/{name}: {len(content)} bytes")
    return 0


def _take(report: Path) -> dict[str, bytes]:
    """All pictures, by the names of their files."""
    typed = "apply inventory/lab.py --yes --canary 1"
    work = _frames(f"{typed} --report {report}")
    pictures = {"apply": (typed, _find_busiest(work))}
    for name, typed in {"status": "status inventory/lab.py", "plan": f"plan inventory/lab.py --data {CHANGE}"}.items():
        pictures[name] = (typed, _frames(typed)[-1])
    made = {
        f"{name}.svg": svg(f"fleethands {typed}", text, name, _width(text)).encode()
        for name, (typed, text) in pictures.items()
    }
    return {**made, "report.png": _page(report / "report.html")}


def _frames(words: str) -> list[str]:
    with step(f"fleethands {words}"):
        return [*frames([str(fleet.FLEETHANDS), *words.split()], fleet.ROOT, COLUMNS)]


def _find_busiest(seen: list[str]) -> str:
    """The last moment at which most hosts were at work."""
    return max(reversed(seen), key=lambda frame: len(AT_WORK.findall(CODES.sub("", frame))))


def _width(text: str) -> int:
    """The terminal's columns, or more for a table that no terminal would wrap well."""
    rows = [line for line in text.splitlines() if "\x1b" not in line and "  " in line.strip()]
    return max([COLUMNS, *map(len, rows)])


def _page(path: Path) -> bytes:
    with browser(1200, 900) as page, tempfile.NamedTemporaryFile(suffix=".png") as picture:
        page.open(path.as_uri())
        page.wait_for("return document.readyState === 'complete' && document.body.innerText.includes('lab-3')")
        page.picture(Path(picture.name))
        return Path(picture.name).read_bytes()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CommandFailed, BootFailed, RuntimeError) as failure:
        sys.exit(f"error: {failure}")
