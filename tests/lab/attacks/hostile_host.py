"""What a person sees of a hostile host, which wants the controller's secrets."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.attacks.attack import Field
from tests.lab.fleet import fleethands
from tests.lab.many import QUIET

CANARY = "hunter2-of-the-controller"
VARIABLE = "LAB_CANARY"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e"
# terminal escapes, as raw bytes of the output
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
INVENTORY = """\
import runpy
from fleethands.settings import Secret
WANTED = {{"openhands_flavor": "off", "ollama_env": {{"OLLAMA_API_KEY": Secret.env({variable!r})}}}}
lab = [(name, {{**data, **WANTED}}) for name, data in runpy.run_path({lab!r})["lab"] if name == "lab-1"]
"""


def inventory(field: Field) -> Path:
    """One of the host with a secret, which a variable of the controller holds."""
    path = field.directory / "fleet.py"
    path.write_text(INVENTORY.format(variable=VARIABLE, lab=str(fleet.ROOT / "inventory/lab.py")))
    return path


def said(command: str, *words: str, **data: Any) -> tuple[int, str]:
    """Exit code and all that a person sees of a command."""
    line = [command, "inventory/lab.py", "--hosts", "lab-1", *words, *fleet.with_data(**{**QUIET, **data})]
    return fleet.typed(shlex.join(["fleethands", *line]))


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """A variable of the controller's, for the time of a `with`."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def is_planned(**data: Any) -> None:
    """The host is planned, and every reader of JSON takes the report."""
    code, document = fleethands("plan", **{**QUIET, **data})
    assert code in (0, 2), document
    json.dumps(document, allow_nan=False)
    assert document["hosts"]["lab-1"]["status"] in {"unchanged", "pending"}, fleet.trouble(document)
    assert not ACTED_ON.findall(json.dumps(document, ensure_ascii=False))
