"""`python -m tests.lab up|down|status|states`: what `make lab` and `make lab-down` call."""

from __future__ import annotations

import argparse
import sys

from filelock import Timeout

from tests.lab.host import BootFailed
from tests.lab.lab import HOSTS, Lab
from tests.lab.prepare import ready, unfit
from tests.lab.shell import CommandFailed, say


def main() -> int:
    """Do what the command line says; one line and status 1 where this machine cannot."""
    arguments = _parser().parse_args()
    reason = unfit()
    if reason:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    lab = Lab.here()
    try:
        {"up": _up, "down": _down, "status": _status, "states": _states}[arguments.action](lab, arguments)
    except (CommandFailed, BootFailed, Timeout) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


def _up(lab: Lab, arguments: argparse.Namespace) -> None:
    count, suite = arguments.hosts
    lab.trim(count)
    ready(lab, {f"lab-{number}": suite for number in range(1, count + 1)} if suite else {}, count=count)
    for name in lab.running():
        say(f"{name} {lab[name].address} {lab[name].suite}: ssh -F .lab/ssh_config {name}")


def _down(lab: Lab, _: argparse.Namespace) -> None:
    lab.down()
    for tests in sorted(lab.site.directory.glob("tests*")):  # of test sessions that were killed
        Lab(tests).down()


def _status(lab: Lab, _: argparse.Namespace) -> None:
    for name in lab.running():
        host = lab[name]
        print(name, host.address, host.address6, host.suite, "up" if host.is_up() else "unreachable")


def _states(lab: Lab, _: argparse.Namespace) -> None:
    print("\n".join(lab.states()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="Real hosts on this machine.")
    actions = parser.add_subparsers(dest="action", required=True)
    up = actions.add_parser("up", help="lab-1 to lab-N are up, and no more")
    up.add_argument("--hosts", type=_hosts, default=(3, None), metavar="'N [SUITE]'", help=f"1 to {HOSTS}")
    actions.add_parser("down", help="nothing of the lab is left but its saved states")
    actions.add_parser("status", help="the hosts that run")
    actions.add_parser("states", help="the states that a host can be restored to")
    return parser


def _hosts(text: str) -> tuple[int, str | None]:
    """`3`, or `3 bookworm` for hosts that are all of one release."""
    count, _, suite = text.strip().partition(" ")
    if not count.isdecimal() or not 1 <= int(count) <= HOSTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hosts from 1 to {HOSTS}")
    if suite not in {"", "trixie", "bookworm"}:
        raise argparse.ArgumentTypeError(f"{suite!r} is neither trixie nor bookworm")
    return int(count), suite or None


sys.exit(main())
