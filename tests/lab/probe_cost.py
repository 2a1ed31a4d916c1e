"""What a probe costs a host, by the kernel's own accounts."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.facts.probe_request import ProbeRequest
from tests.lab.asking import settings
from tests.lab.host import Host

ROUNDS = 5
# A PID namespace of its own numbers processes and threads from 1: the shell is 1, the probe 2, and the last is the one
# that prints its number. A control group adds up the CPU time of those that have ended, too.
SCRIPT = """\
cat >/run/probe.sh
unshare --pid --fork sh -c 'sh -s </run/probe.sh >/dev/null 2>&1; sh -c "echo \\$((\\$\\$ - 2))"'
group=/sys/fs/cgroup/probe
mkdir -p $group
for round in $(seq %d); do
  read -r _ before <$group/cpu.stat
  sh -c 'echo $$ >/sys/fs/cgroup/probe/cgroup.procs && exec sh -s </run/probe.sh >/dev/null 2>&1'
  read -r _ after <$group/cpu.stat
  echo $((after - before))
done
rmdir $group
rm /run/probe.sh
"""


@dataclass(frozen=True)
class ProbeCost:
    """
    One probe of a host with nothing to do, without the daemons that it asks.

    + started: processes and threads
    + cpu: seconds, the least of ROUNDS
    """

    started: int
    cpu: float


def measure(host: Host, script: str | None = None) -> ProbeCost:
    """
    Run the probe on a host.

    + script: None for that of the declared settings
    """
    text = script or ProbeRequest.create(settings()).script
    started, *used = host.run(SCRIPT % ROUNDS, stdin=text, timeout=60).stdout.split()
    return ProbeCost(int(started), min(map(int, used)) / 1e6)
