"""A Debian system under systemd-nspawn: its own systemd as PID 1, its own processes, its own network."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.cgroup import Cgroup
from tests.lab.shell import run

# In mounts of its own, with a plain cgroup2 as systemd 257 wants it. 133: the guest asked for a reboot.
BOOT = """\
group=/sys/fs/cgroup/$1 veth=$2; shift 2
while umount --recursive /sys/fs/cgroup 2>/dev/null; do :; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir -p "$group/loop" "$group/guest" || exit
echo $$ >"$group/loop/cgroup.procs" || exit
while :; do
    ip link delete "$veth" 2>/dev/null
    sh -c 'echo $$ >"$0/guest/cgroup.procs" && exec systemd-nspawn "$@"' "$group" "$@"
    status=$?
    [ $status -eq 133 ] || exit $status
done
"""
DETACHED = ("setsid", "--fork", "unshare", "--mount", "--propagation=slave")
FLAGS = (
    *("--quiet", "--settings=no", "--register=no", "--keep-unit", "--boot", "--console=read-only"),
    *("--resolv-conf=off", "--timezone=off", "--link-journal=no"),
    *("--capability=all", "--system-call-filter=@keyring bpf"),
)


@dataclass(frozen=True)
class Machine:
    """One guest; `group` (unique on this machine) holds all of its processes."""

    name: str
    hostname: str
    root: Path
    bridge: str
    group: str
    console: Path

    @property
    def veth(self) -> str:
        """The bridge's end of its cable."""
        return f"vb-{self.name}"

    def start(self) -> None:
        """Begin to boot; the guest lives on without us."""
        self.console.parent.mkdir(parents=True, exist_ok=True)
        with self.console.open("wb") as console:
            subprocess.run(
                [*DETACHED, "sh", "-c", BOOT, "boot", self.group, self.veth, *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd="/",
                check=True,
                timeout=10,
            )

    def supervised(self) -> bool:
        """Whether it runs and all that it was started with: a guest without its nspawn is only an orphan."""
        parts = ("loop", "guest/supervisor", "guest/payload")
        return all(Cgroup(f"{self.group}/{part}").alive() for part in parts)

    def shut_down(self, seconds: float) -> None:
        """Shut the host down in order. After this many seconds, cut the power."""
        group = Cgroup(self.group)
        for pid in Cgroup(f"{self.group}/guest/supervisor").pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if self.supervised():
            group.wait_empty(seconds)
        self.power_off()

    def power_off(self) -> None:
        """End every process of it at once; nothing of it stays, orphans included."""
        Cgroup(self.group).kill()
        if Path("/sys/class/net", self.veth).exists():
            # The kernel takes its network namespace down later, by itself.
            run("ip", "link", "delete", self.veth, check=False)
        with contextlib.suppress(FileNotFoundError):
            Path("/run/systemd/nspawn/propagate", self.name).rmdir()

    def _arguments(self) -> list[str]:
        # Not --suppress-sync: it refuses O_SYNC, with which runc opens its log, and no container starts.
        return [
            *FLAGS,
            *(["--bind=/dev/fuse"] if Path("/dev/fuse").exists() else []),
            f"--directory={self.root}",
            f"--machine={self.name}",
            f"--hostname={self.hostname}",
            f"--network-bridge={self.bridge}",
            "systemd.show_status=yes",
        ]
