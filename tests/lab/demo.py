"""`make demo`: three fresh hosts, from nothing to an answered prompt, and a table of what was proven."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from filelock import Timeout
from rich.console import Console
from rich.table import Table

from fleethands.operations.core.proof_record import Link
from fleethands.paths import CANVAS_KEY
from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS
from tests.lab.host import BootFailed
from tests.lab.lab import Lab
from tests.lab.prepare import ready, unfit
from tests.lab.shell import CommandFailed, say, step

HOSTS = ("lab-1", "lab-2", "lab-3")  # two trixie, one bookworm
CANVAS_HOST = "lab-1"
CANVAS_LINKS = [*observe.LINKS[:3], "model-tools", *observe.LINKS[3:-1], "openhands-asks-model", "speed"]
INVENTORY = '''"""The hosts of `make demo`: {canvas} runs Agent Canvas, the others the web app of OpenHands."""

import runpy as _runpy

_CANVAS = {data!r}
demo = [
    (name, {{**known, **(_CANVAS if name == {canvas!r} else {{}})}})
    for name, known in _runpy.run_path({lab!r})["lab"]
    if name in {hosts!r}
]
'''
LAST_PAGE = """
{count} hosts in {seconds:.0f} s. {host} runs Agent Canvas. Open it in a browser:

    {command}

The command prints the address, and the key that the page asks for. On {host}, the key is in {key}.
"""


def main() -> int:
    """0 when every link of every host holds."""
    if reason := unfit():
        print(f"error: {reason}", file=sys.stderr)
        return 1
    begin = time.monotonic()
    lab = Lab.here()
    with step(f"the lab: {', '.join(HOSTS)}, Ollama, models, OpenHands"):
        ready(lab, *HOSTS)
        lab.internet.offer("canvas")
    with step("every host as Debian left it"):
        for name in HOSTS:
            lab[name].restore("clean")
    inventory = write_inventory(lab)
    code = _apply(inventory)
    proven = report(lab)
    command = f".venv/bin/fleethands tunnel {inventory} --hosts {CANVAS_HOST}"
    seconds = time.monotonic() - begin
    print(LAST_PAGE.format(count=len(HOSTS), seconds=seconds, host=CANVAS_HOST, command=command, key=CANVAS_KEY))
    return code or int(not proven)


def write_inventory(lab: Lab) -> Path:
    """Write the demo's inventory next to the lab's keys. The path is relative to the checkout."""
    place = lab.site.directory / "demo.py"
    known = str(fleet.ROOT / "inventory/lab.py")
    place.write_text(INVENTORY.format(canvas=CANVAS_HOST, data=CANVAS, lab=known, hosts=HOSTS))
    return Path(os.path.relpath(place, fleet.ROOT))


def _apply(inventory: Path) -> int:
    """What a user types."""
    words = ["fleethands", "apply", str(inventory), "--yes"]
    say(" ".join(words))
    return subprocess.run([fleet.FLEETHANDS, *words[1:]], cwd=fleet.ROOT, timeout=1800, check=False).returncode


def report(lab: Lab) -> bool:
    """Print each host's links; whether all of them hold."""
    table = Table("link", title="Proven: seconds of each link, from the hosts' own records")
    proofs = [{link.name: link for link in observe.proof(lab[name])} for name in HOSTS]
    for name in HOSTS:
        table.add_column(f"{name} {lab[name].suite}", justify="right")
    for link in CANVAS_LINKS:
        cells = [_cell(found.get(link), link in _links(name)) for name, found in zip(HOSTS, proofs, strict=True)]
        table.add_row(link, *cells)
    Console().print(table)
    return all(observe.proven(lab[name], _links(name)) for name in HOSTS)


def _links(name: str) -> list[str]:
    """The links of the host's proof."""
    return CANVAS_LINKS if name == CANVAS_HOST else observe.LINKS


def _cell(link: Link | None, is_needed: bool) -> str:
    if link is None:
        return "[red]not tried[/]" if is_needed else ""
    return f"[green]ok[/] {link.seconds:.2f}" if link.ok else f"[red]broken[/] {link.detail}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CommandFailed, BootFailed, Timeout) as failure:
        sys.exit(f"error: {failure}")
