"""The surface of the Python API. A change of this snapshot needs a line in CHANGELOG.md: docs/guides/python.md."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import fleethands
from tests.helpers.checkout import ROOT

INTERNAL = {  # docs/guides/python.md does not promise these
    "HostReport": {
        "probe",
        "secrets",
        "mask",
        "loaded_facts",
        "mask_all",
        "packed",
        "facts_text",
        "has_facts",
        "to_json_without_facts",
    },
    "Report": {"mask_all", "head"},
}
LISTED = {"HostSettings"}  # its fields are in docs/settings.md, which is generated
PATCHES = ("gevent", "pyinfra", "pyinfra_cli", "paramiko", "click", "rich")


def surface(name: str) -> Iterator[str]:
    """Lines that describe a public name."""
    value = getattr(fleethands, name)
    if not inspect.isclass(value):
        yield f"{name} = {' | '.join(getattr(each, '__name__', repr(each)) for each in typing.get_args(value))}"
        return
    yield f"class {name}({', '.join(base.__name__ for base in value.__bases__)})"
    if name in LISTED:
        return
    hidden = INTERNAL.get(name, set())
    yield from (f"    {line}" for line in members(value) if line.split("(")[0].split(":")[0] not in hidden)


def members(value: Any) -> Iterator[str]:
    if is_dataclass(value):
        for each in fields(value):
            default = "" if each.default is MISSING else f" = {each.default!r}"
            yield f"{each.name}: {each.type}{default}"
    elif "__init__" in vars(value):
        yield f"__init__{signature(value.__init__)}"
    for name, member in sorted(inspect.getmembers_static(value)):
        plain = getattr(member, "__func__", getattr(member, "fget", member))
        if name.startswith("_") or not str(getattr(plain, "__module__", "")).startswith("fleethands."):
            continue
        if isinstance(member, property):
            yield f"{name}: property -> {inspect.signature(plain).return_annotation}"
        elif callable(plain):
            yield f"{name}{signature(plain)}"


def signature(function: Any) -> str:
    return str(inspect.signature(function))


def test_public_names_and_signatures(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(line for name in fleethands.__all__ for line in surface(name)) == snapshot


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_api_leaves_the_standard_library_as_it_is() -> None:
    code = f"""
import socket, subprocess, sys, threading
before = socket.socket, subprocess.Popen, threading.Thread, threading.excepthook, sys.excepthook
import fleethands
for name in fleethands.__all__:
    getattr(fleethands, name)
fleethands.Fleet({{"gpu-1": {{"models": ["codellama:7b"]}}}}).settings()
assert before == (socket.socket, subprocess.Popen, threading.Thread, threading.excepthook, sys.excepthook)
print(sorted(name for name in sys.modules if name.split(".")[0] in {PATCHES!r}))
"""
    assert run(code) == "[]"


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, fleethands; print(sorted(name for name in sys.modules if name.startswith('fleethands')))"

    assert run(code) == "['fleethands']"


def test_every_name_is_listed_and_unknown_names_are_errors() -> None:
    assert set(fleethands.__all__) <= set(dir(fleethands))
    with pytest.raises(AttributeError, match="no attribute `Flet`"):
        _ = fleethands.Flet


def test_type_checkers_find_the_types() -> None:
    assert (Path(fleethands.__file__).parent / "py.typed").is_file()


def test_the_guide_explains_every_method_event_and_exception() -> None:
    guide = (ROOT / "docs/guides/python.md").read_text()
    methods = [name for name in vars(fleethands.Fleet) if not name.startswith("_")]
    explained = [name for name in fleethands.__all__ if name.endswith("Event") or is_exception(name)]

    assert [name for name in methods if not re.search(rf"\b{name}\b", guide)] == []
    assert [name for name in explained if not re.search(rf"\b{name}\b", guide) and name != "Event"] == []


def is_exception(name: str) -> bool:
    value = getattr(fleethands, name)
    return inspect.isclass(value) and issubclass(value, BaseException)


def test_the_code_of_the_guide_has_the_right_types(tmp_path: Path) -> None:
    guide = (ROOT / "docs/guides/python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    files = [tmp_path / f"block{number}.py" for number in range(len(blocks))]
    for path, block in zip(files, blocks, strict=True):
        path.write_text(block)

    words = [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", *map(str, files)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (len(blocks), done.stdout) == (2, "Success: no issues found in 2 source files\n")
