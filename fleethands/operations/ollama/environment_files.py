"""Files that drop-ins of somebody else's make Ollama's service read."""

from __future__ import annotations

import re
import shlex

from fleethands.facts.service import Service, UnitText
from fleethands.operations.core.decision import Refused

_LINE = re.compile(r"\s*EnvironmentFile\s*=\s*(.*?)\s*")
_SEVERAL = re.compile(r"[*?\[%]")  # a pattern, or a name that systemd completes


def check_environment_files(service: Service) -> Refused | None:
    """A file that systemd is told to read and that is not there; without it no Ollama is started."""
    there = {each.path for each in service.files}
    for text, number, path in _required_files(service):
        if path not in there:
            optional = f"sed -i '{number}s|=[[:space:]]*|=-|' {shlex.quote(text.path)} && systemctl daemon-reload"
            return Refused(
                f"{text.path}:{number} has systemd read {path}, which is not there, so Ollama would not start",
                (f"do without it where it is missing, on the host: {optional}",),
            )
    return None


def _required_files(service: Service) -> list[tuple[UnitText, int, str]]:
    """(drop-in, number of its line, path) of the files that must be there."""
    named: list[tuple[UnitText, int, str]] = []
    for text in service.drop_ins:
        for number, line in enumerate(text.lines.splitlines(), 1):
            found = None if text.ours else _LINE.fullmatch(line)
            if found is None:
                continue
            if not found[1]:  # takes back what was said before
                named.clear()
            elif found[1].startswith("/") and not _SEVERAL.search(found[1]):
                named.append((text, number, found[1]))
    return named
