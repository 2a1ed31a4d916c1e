"""Runs the scripts of an automatic revert in a real shell, on files below a directory; systemd, nft are stand-ins."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from fleethands import paths
from fleethands.operations.core import scripts
from fleethands.operations.firewall.revert import restore_script

TOKEN, KEY = "00112233445566ff", "8899aabbccddeeff"
PLACES = ("/var/lib/fleethands", "/etc/fleethands", "/etc/systemd/system", "/run/fleethands")
STAND_INS = """
nft() {
  case $1 in
    list) cat "$where/table" 2>/dev/null ;;
    delete) rm -f "$where/table" ;;
    *) [ ! -e "$where/broken-nft" ] && tail -n +3 >"$where/table" ;;
  esac
}
systemctl() { echo "systemctl $*" >>"$where/calls"; }
timeout() {
  shift
  case $1 in systemd-run) echo "$*" >>"$where/calls" ;; *) "$@" ;; esac
}
sync() {
  armed_file=$where/var/lib/fleethands/revert/armed
  echo "sync $*, $([ -e "$armed_file" ] && echo armed || echo not armed)" >>"$where/synced"
}
logger() { :; }
mv() { [ ! -e "$where/dies" ] || exit 9; command mv "$@"; }
"""
OF_A_CHANGE = """
set -eu
fail() {
  echo "error: $1"
  shift
  for hint in "$@"; do echo "hint: $hint"; done
  exit 1
}
atomic_file() { cat >"$1"; }
check_ssh_stays_open() { :; }
load_table() { echo loaded; }
"""
NO_LOAD = """
sh() { echo load >>"$where/calls"; [ ! -e "$where/broken" ]; }
"""


def moved(where: Path, text: str) -> str:
    """A script that uses files below `where`."""
    for place in PLACES:
        text = text.replace(place, f"{where}{place}")
    return text


def shell(where: Path, text: str, /, *words: str, **values: str) -> subprocess.Popen[str]:
    """Begin a script with these stand-ins and variables."""
    assigned = "".join(f"{name}={shlex.quote(value)}\n" for name, value in {"where": str(where), **values}.items())
    command = ["sh", "-c", f"{assigned}{STAND_INS}{moved(where, text)}", "sh", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def change(where: Path, name: str, **values: str) -> subprocess.Popen[str]:
    """Begin a script that changes the firewall, without the checks and the load of the table."""
    return run_with_revert(where, scripts.read(name), **values)


def run_with_revert(where: Path, text: str, /, **values: str) -> subprocess.Popen[str]:
    """Begin a script that uses the functions of an automatic revert."""
    known = {
        "rules": paths.FIREWALL_RULES,
        "watcher": paths.FIREWALL_SCRIPT,
        "unit": paths.FIREWALL_UNIT,
        "loaded": paths.FIREWALL_LOADED,
        "revert": paths.REVERT,
        "reverted": paths.REVERTED,
        "revert_unit": paths.REVERT_UNIT,
    }
    given = {each: f"{where}{path}" for each, path in known.items()}
    given |= {"restore": restore_script(), "delay": "30", "confirms": KEY, "run": "1a2b3c4d", **values}
    parts = scripts.join("revert_state", "await_confirmation")
    return shell(where, f"{OF_A_CHANGE}{parts}{text}", **given)


def restored(where: Path, *words: str) -> list[str]:
    """What the script on the host calls that restores the firewall."""
    process = shell(where, f"{NO_LOAD}{restore_script()}", *words)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    return calls(where)


def calls(where: Path) -> list[str]:
    """What the stand-ins of systemd and of the watcher were asked for."""
    found = where / "calls"
    return found.read_text().splitlines() if found.exists() else []
