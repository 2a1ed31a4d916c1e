"""A host that accepts the connection and does not run the probe: its own message, and what to do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from fleethands.facts.framing import SECTIONS, ProbeError
from fleethands.untrusted import printable

LONGEST = 300  # characters of its output; the end is the most useful part
ANOTHER = '"ssh_user": "NAME"` in the inventory, a user who has passwordless sudo'
_SENT_ELSEWHERE = re.compile(
    r"""log ?in as the user ["'“]?(?P<name>[a-z_][a-z0-9_.-]{0,31})["'”]? rather""", re.IGNORECASE
)


class ProbeFailed(ProbeError):
    """The host's own message, and the next steps."""

    def __init__(self, reason: str, hints: Sequence[str]) -> None:
        ValueError.__init__(self, reason)
        self.section, self.hints = SECTIONS[0], tuple(hints)


def explain_failure(said: Sequence[str], host: Any) -> ProbeFailed:
    """
    Why the host did not run the probe.

    + said: all lines of the host, in order
    + host: pyinfra's
    """
    if error := next((line for line in said if line.startswith("error: ")), None):
        hints = [line.removeprefix("hint: ") for line in said if line.startswith("hint: ")]
        return ProbeFailed(printable(error.removeprefix("error: ")), [printable(each) for each in hints[:5]])
    text = printable(" ".join(" ".join(said).split())[-4 * LONGEST :], 4 * LONGEST)
    short = text if len(text) <= LONGEST else "…" + text[-LONGEST:]
    by_hand = ssh_command(host)
    if not short:
        return ProbeFailed("it does not run what it is sent, and says nothing", [f"look for yourself: `{by_hand}`"])
    return ProbeFailed(f"it does not run what it is sent, and says: {short}", _hints(short, by_hand))


def _hints(said: str, by_hand: str) -> list[str]:
    if other := _SENT_ELSEWHERE.search(said):
        return [f'`"ssh_user": "{other["name"]}"` in the inventory, or `--data ssh_user={other["name"]}`']
    if "assword" in said and ("expired" in said or "change" in said):
        return [f"give it a new password by hand: `{by_hand}`; or `{ANOTHER}"]
    return [f"`{ANOTHER}", f"look for yourself: `{by_hand}`"]


def ssh_command(host: Any, *options: str) -> str:
    """
    The command that connects a user to a host in the way that a run does.

    + host: pyinfra's
    + options: of `ssh`, in front of the others

    Example: `ssh -v -p 2222 root@gpu-1`.
    """
    data = host.data
    flags = {"-F": "ssh_config_file", "-i": "ssh_key", "-p": "ssh_port"}
    given = [word for flag, key in flags.items() if data.get(key) for word in (flag, str(data.get(key)))]
    if known := data.get("ssh_known_hosts_file"):
        given += ["-o", f"UserKnownHostsFile={known}"]
    user, place = data.get("ssh_user"), data.get("ssh_hostname") or host.name
    return shlex.join(["ssh", *options, *given, f"{user}@{place}" if user else str(place)])
