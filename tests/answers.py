"""Answers of a real probe, and ways to change them that leave the frame sound."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from importlib.resources import files

from fleethands.facts.probe_request import ProbeRequest
from tests.hosts import declared

QUESTION = ProbeRequest.create(
    # no container: apt would be asked on every machine without Docker, for seconds
    declared(ollama_url="file:///no/such/mirror", models=["127.0.0.1:9/library/codellama:7b"], openhands_flavor="off")
)


def answer(question: ProbeRequest = QUESTION) -> list[str]:
    """What this machine answers: a real run of the script, whatever is installed here."""
    done = subprocess.run(["sh", "-s"], input=question.script.encode(), capture_output=True, timeout=60, check=True)
    return done.stdout.decode().split("\n")[:-1]


def sealed(lines: Sequence[str]) -> list[str]:
    """The same lines with the digest that a host would have sent with them."""
    first = next(index for index, line in enumerate(lines) if line.startswith("@@"))
    mark = lines[first].split(" ")[0]
    text = "\n".join(lines[first:-1]) + "\n"
    return [*lines[:-1], f"{mark} done {hashlib.sha256(text.encode()).hexdigest()}"]


def ended(lines: Sequence[str], section: str, status: int, body: Sequence[str] | None = None) -> list[str]:
    """The same answer with one section that ended so."""
    mark = lines[-1].split(" ")[0]
    begin = lines.index(f"{mark} begin {section}")
    end = next(index for index, line in enumerate(lines) if line.startswith(f"{mark} end {section} "))
    held = list(lines[begin + 1 : end]) if body is None else list(body)
    return sealed([*lines[: begin + 1], *held, f"{mark} end {section} {status}", *lines[end + 1 :]])


def probe_parts(*names: str) -> str:
    """Functions of the probe: those of facts/shell.sh, then those of these parts."""
    parts = [files("fleethands.facts").joinpath(f"{name}.sh").read_text() for name in ("shell", *names)]
    return f"mark=@@mark\n{''.join(parts)}"


def docker_script() -> str:
    """The probe's functions that ask Docker."""
    return probe_parts("docker", "docker_ports", "docker_api", "docker_engine")
