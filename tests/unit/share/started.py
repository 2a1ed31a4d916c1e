"""Starts relays with their real script, in a network of their own. A stand-in of systemd runs the program of a unit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from fleethands.operations.share.relay_scripts import StartRelay, stop_relay
from fleethands.script import Script

HOST, NEIGHBOR, STRANGER = "10.77.0.1", "10.77.0.2", "10.77.0.3"
PORT, TOKEN = 11439, "t" * 48
ALONE = ("unshare", "--map-root-user", "--net")
SYSTEMD = """
is_at_work() { kill -0 "$(cat "$where/process" 2>/dev/null || echo none)" 2>/dev/null; }
systemctl() {
  case "$*" in
    *ActiveState*) if is_at_work; then echo active; else echo inactive; fi ;;
    *MainPID*) if is_at_work; then cat "$where/process"; else echo 0; fi ;;
    stop*) kill "$(cat "$where/process")"; sleep 0.3; rm -rf "$share" ;;
  esac
}
journalctl() { tail -n 1 "$where/journal"; }
begin_unit() {
  case $* in
    *ExecStartPre=/usr/sbin/nft*) nft -f "$share/rules.nft" || return ;;
    *IPAddressDeny=any*) ;; # its filter is not tried here: the relay looks at addresses, too
    *) return 1 ;;
  esac
  printf '%s\\n' "$@" | sed -n '/^--setenv$/ { n; p; }' | sed "s|/run/blobs|$models_dir/blobs|" >"$where/environment"
  echo started >>"$where/starts"
  xargs -d '\\n' -a "$where/environment" sh -c 'env -i "$@" perl "$0" & echo $! >process' "$share/relay.pl" \\
    </dev/null >/dev/null 2>"$where/journal"
}
# this user owns every file, and a user namespace has no other
id() { command id -u; }
numbers_of() { echo 1:1; }
as_owner() { shift 2; "$@"; }
"""


class Started:
    """A host with directories of its own. Its steps are shell commands that run one after the other."""

    def __init__(self, where: Path) -> None:
        self.where, self.models, self.has_nft = where, where / "models", True
        for directory in (self.models / "blobs", self.models / "manifests", where / "run"):
            directory.mkdir(parents=True)
        self.steps = ["ip link set lo up", f"cd {where}"]
        self.steps += [f"ip addr add {address}/32 dev lo" for address in (HOST, NEIGHBOR, STRANGER)]
        self.steps += ["ip addr add fd77::1/128 dev lo nodad", "ip addr add fd77::2/128 dev lo nodad"]

    def _add_script(self, script: Script) -> None:
        text = script.with_values(parts=str(self.where / "parts"), where=str(self.where)).text
        text = text.replace("/run/fleethands/share", f"{self.where}/run/share").replace("systemd-run", "begin_unit")
        if not self.has_nft:
            text = text.replace("command -v nft", "command -v no-nft")
        path = self.where / f"{len(self.steps)}.sh"
        path.write_text(text.replace("\nset -eu\n", f"\n{SYSTEMD}\nset -eu\n", 1))  # behind the functions of owned.sh
        self.steps.append(f"sh {path} 2>&1 || true")

    def start(self, address: str = HOST, neighbor: str = NEIGHBOR, idle: int = 60, token: str = TOKEN) -> None:
        rows = f"before {neighbor} {PORT}"
        start = StartRelay(token, address, PORT, rows, neighbor, str(self.models), idle=idle)
        self._add_script(start.script)

    def stop(self, token: str = TOKEN) -> None:
        self._add_script(stop_relay(token))

    def ask(self, path: str, source: str = NEIGHBOR, address: str = HOST, token: str = TOKEN) -> None:
        url = f"http://{f'[{address}]' if ':' in address else address}:{PORT}{path}"
        options = f"--silent --max-time 2 --interface {source} --header 'Authorization: Bearer {token}'"
        self.steps.append(f"curl {options} --write-out '%{{http_code}}\\n' '{url}' || true")

    def run(self) -> list[str]:
        """What the steps printed."""
        text = "\n".join([*self.steps, 'kill "$(cat process)" 2>/dev/null || true'])
        done = subprocess.run(
            [*ALONE, "sh", "-es"], input=text, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()
