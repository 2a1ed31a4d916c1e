"""The sentinel's own script on this machine, with a stand-in for the proof."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from fleethands.operations.core import scripts
from fleethands.script import PATH, Script

HELD = "list\tok\t12\tcodellama:7b is there\t\n"
KEY = "correct horse battery staple"


def broken(link: str, reason: str = "it is broken", hint: str = "on the host: repair it") -> str:
    return f"{HELD}{link}\tbroken\t7\t{reason}\t{hint}\nspeed\tok\t1\tfast\t\n"


class SentinelHost:
    """Files of the sentinel in a directory."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.results = place / "results"
        self.run_lock, self.step_lock, self.manual_lock = place / "lock", place / "lock.step", place / "hold"
        self.secrets = place / "ollama.env"
        self.environment: dict[str, str] = {}
        self.write_proof(f"cat '{place}/links'; exit $(cat '{place}/status')")

    def write_proof(self, text: str) -> Path:
        """The script of the proof, under the name that its digest gives it."""
        script = self.place / f"proof-{hashlib.sha256(text.encode()).hexdigest()}.sh"
        script.write_text(text)
        link = self.place / "proof.sh"
        link.unlink(missing_ok=True)
        link.symlink_to(script.name)
        return script

    @property
    def text(self) -> str:
        values = {
            "name": 'gpu-1"', "proof": str(self.place / "proof.sh"), "apply": "on this machine: fleethands apply",
            "results": str(self.results), "private": f"{self.secrets} {self.place}/missing.env",
            "run_lock": str(self.run_lock), "manual_lock": str(self.manual_lock), "step_lock": str(self.step_lock),
        }  # fmt: skip
        return Script(scripts.read("sentinel"), values).text

    def begin(self, path: str = "") -> subprocess.Popen[str]:
        """Run it. `path` has commands that are to be used first."""
        script = self.place / "sentinel.sh"
        script.write_text(self.text.replace(f"PATH={PATH}", f"PATH={path}:{PATH}") if path else self.text)
        environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*", **self.environment}
        output = subprocess.PIPE
        return subprocess.Popen(["sh", str(script)], env=environment, stdout=output, stderr=output, text=True)

    def prove(self, links: str, status: int | None = None, path: str = "") -> str:
        """What it prints, for a proof that prints these links and ends with this status."""
        (self.place / "links").write_text(links)
        (self.place / "status").write_text(str(int("\tbroken\t" in links) if status is None else status))
        process = self.begin(path)
        said, trouble = process.communicate(timeout=60)
        assert (process.returncode, trouble) == (0, ""), trouble
        return said

    @property
    def state(self) -> bytes:
        return (self.results / "state").read_bytes()
