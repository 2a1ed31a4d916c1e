"""`make demo`: three fresh hosts, from nothing to an answered prompt, and a table of what was proven."""

from __future__ import annotations

import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.lab import fleet, observe
from tests.lab.lab import Lab
from tests.lab.prepare import ready
from tests.lab.shell import step

HOSTS = ("lab-1", "lab-2", "lab-3")  # two trixie, one bookworm


def main() -> int:
    """0 when every link of every host holds."""
    begin = time.monotonic()
    lab = Lab.here()
    with step(f"the lab: {', '.join(HOSTS)}, Ollama, models, OpenHands"):
        ready(lab, *HOSTS)
    with step("every host as Debian left it"):
        for name in HOSTS:
            lab[name].restore("clean")
    with step("pyinfra inventory/lab.py deploy.py -y"):
        limits = [word for name in HOSTS for word in ("--limit", name)]
        command = [str(fleet.PYINFRA), "inventory/lab.py", *limits, "deploy.py", "-y"]
        done = subprocess.run(command, cwd=fleet.ROOT, stdin=subprocess.DEVNULL, check=False, timeout=1800)
    proven = report(lab)
    console = Console()
    console.print(f"\n{len(HOSTS)} hosts in {time.monotonic() - begin:.0f} s. To look further:\n")
    console.print("    ssh -F .lab/ssh_config lab-1 curl -s localhost:11434/api/tags", highlight=False)
    console.print(
        "    ssh -F .lab/ssh_config -N -L 3000:127.0.0.1:3000 lab-1    # then http://localhost:3000/api/settings",
        highlight=False,
    )
    return done.returncode or int(not proven)


def report(lab: Lab) -> bool:
    """Print each host's links; whether all of them hold."""
    table = Table("host", "system", "link", "", "seconds", "seen", title="Proven, as the hosts' own records say")
    proven = True
    for name in HOSTS:
        found = observe.proof(lab[name])
        proven = proven and observe.proven(lab[name])
        for index, link in enumerate(found):
            first = (name, lab[name].suite) if index == 0 else ("", "")
            mark = "[green]ok[/]" if link.ok else "[red]broken[/]"
            table.add_row(*first, link.name, mark, f"{link.seconds:.2f}", link.detail, end_section=link is found[-1])
        if not found:
            table.add_row(name, lab[name].suite, "[red]nothing was proven[/]", end_section=True)
    Console().print(table)
    return proven


if __name__ == "__main__":
    sys.exit(main())
