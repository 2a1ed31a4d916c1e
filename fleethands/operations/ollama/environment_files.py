"""The files of variables that foreign drop-ins name."""

from __future__ import annotations

import re
import shlex

from fleethands.facts.service import Service, UnitText
from fleethands.operations.core.decision import Refused

_LINE = re.compile(r"\s*EnvironmentFile\s*=\s*(.*?)\s*")
_PATTERN = re.compile(r"[*?\[%]")  # a glob, or a specifier that systemd expands


def check_environment_files(service: Service) -> Refused | None:
    """A missing file of variables, without which systemd does not start Ollama."""
    existing = {each.path for each in service.files}
    for text, number, path in _required_files(service):
        if path not in existing:
            optional = f"sed -i '{number}s|=[[:space:]]*|=-|' {shlex.quote(text.path)} && systemctl daemon-reload"
            return Refused(
                f"{text.path}:{number} has systemd read {path}, which is not there, so Ollama would not start",
                (f"do without it where it is missing, on the host: {optional}",),
            )
    return None


def _required_files(service: Service) -> list[tuple[UnitText, int, str]]:
    """(drop-in, line number, path) of the files that must exist."""
    required: list[tuple[UnitText, int, str]] = []
    for text in service.drop_ins:
        for number, line in enumerate(text.lines.splitlines(), 1):
            found = None if text.ours else _LINE.fullmatch(line)
            if found is None:
                continue
            if not found[1]:  # an empty value discards the files before it
                required.clear()
            elif found[1].startswith("/") and not _PATTERN.search(found[1]):
                required.append((text, number, found[1]))
    return required
