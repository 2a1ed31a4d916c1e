"""`make demo`: three fresh hosts, from nothing to an answered prompt, and a table of what was proven."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator

from filelock import Timeout
from rich.console import Console
from rich.table import Table

from fleethands.operations.core.proof_record import Link
from tests.lab import fleet, observe
from tests.lab.host import BootFailed
from tests.lab.lab import Lab
from tests.lab.prepare import ready, unfit
from tests.lab.shell import CommandFailed, say, step

HOSTS = ("lab-1", "lab-2", "lab-3")  # two trixie, one bookworm


def main() -> int:
    """0 when every link of every host holds."""
    if reason := unfit():
        print(f"error: {reason}", file=sys.stderr)
        return 1
    begin = time.monotonic()
    lab = Lab.here()
    with step(f"the lab: {', '.join(HOSTS)}, Ollama, models, OpenHands"):
        ready(lab, *HOSTS)
    with step("every host as Debian left it"):
        for name in HOSTS:
            lab[name].restore("clean")
    code = _apply()
    proven = report(lab)
    print(f"\n{len(HOSTS)} hosts in {time.monotonic() - begin:.0f} s. To look further:\n")
    print("    ssh -F .lab/ssh_config lab-1 curl -s localhost:11434/api/tags")
    print("    ssh -F .lab/ssh_config -N -L 3000:127.0.0.1:3000 lab-1    # http://localhost:3000/api/settings\n")
    return code or int(not proven)


def _apply() -> int:
    """What a user types; every line with the time since the start, and a sign of life in long steps."""
    limits = [word for name in HOSTS for word in ("--limit", name)]
    words = [str(fleet.PYINFRA), "inventory/lab.py", *limits, "deploy.py", "-y"]
    say("pyinfra inventory/lab.py deploy.py -y")
    process = subprocess.Popen(words, cwd=fleet.ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    begin, step_name = time.monotonic(), "start"
    for line in _lines(process):
        now = time.monotonic() - begin
        if line is None:
            print(f"{now:6.1f} s      … {step_name}", flush=True)
        elif line.strip():
            step_name = line.partition("Starting operation:")[2].strip() or step_name
            print(f"{now:6.1f} s  {line.rstrip()}", flush=True)
    return process.wait(60)


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """Lines of stderr as they come, None after ten seconds of silence; ends with the process or after half an hour."""
    pipe, rest, end = process.stderr, b"", time.monotonic() + 1800
    while pipe is not None and time.monotonic() < end:
        if not select.select([pipe], [], [], 10)[0]:
            yield None
            continue
        data = os.read(pipe.fileno(), 65536)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    process.kill()


def report(lab: Lab) -> bool:
    """Print each host's links; whether all of them hold."""
    table = Table("link", title="Proven: seconds of each link, from the hosts' own records")
    proofs = [{link.name: link for link in observe.proof(lab[name])} for name in HOSTS]
    for name in HOSTS:
        table.add_column(f"{name} {lab[name].suite}", justify="right")
    for link in observe.LINKS:
        table.add_row(link, *(_cell(found.get(link)) for found in proofs))
    Console().print(table)
    return all(observe.proven(lab[name]) for name in HOSTS)


def _cell(link: Link | None) -> str:
    if link is None:
        return "[red]not tried[/]"
    return f"[green]ok[/] {link.seconds:.2f}" if link.ok else f"[red]broken[/] {link.detail}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CommandFailed, BootFailed, Timeout) as failure:
        sys.exit(f"error: {failure}")
