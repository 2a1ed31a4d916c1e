"""Code on pages is right: it parses, its imports exist, and its settings are valid."""

from __future__ import annotations

import ast
import importlib
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleethands.settings import HostSettings, Secret
from fleethands.settings.load import check_settings
from fleethands.settings.lockfile import Lockfile
from tests.helpers.pages import Block, blocks, pages

CODE = [block for page in pages() for block in blocks(page) if not block.is_inline]
PYTHON = [block for block in CODE if block.language == "python"]
PARSERS: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
UNREAD = {"", "ini", "sh", "bash", "shell", "console", "text", "terraform", "markdown", "diff", "html"}


def parse(block: Block) -> ast.Module:
    """A block of Python. Some blocks are keys and values of an inventory, without braces around them."""
    try:
        return ast.parse(block.text, str(block))
    except SyntaxError:
        return ast.parse("{" + block.text + "}", str(block))


def declared(block: Block) -> list[dict[str, Any]]:
    """The host data in a block: every dictionary that has settings, and in Python the variables of group_data."""
    if block.language in PARSERS:
        return [*_data(PARSERS[block.language](block.text))]
    tree = parse(block)
    found = [data for node in ast.walk(tree) if isinstance(node, ast.Dict) for data in _data(_evaluate(node, block))]
    variables = {
        node.targets[0].id: value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in HostSettings.model_fields
        and not [*_data(value := _evaluate(node.value, block))]  # a group may be called `gpu`, too
    }
    return [each for at, each in enumerate([*found, variables]) if each and each not in found[:at]]


def _evaluate(node: ast.expr, block: Block) -> Any:
    try:
        return eval(compile(ast.Expression(node), str(block), "eval"), {"Secret": Secret})  # noqa: S307  # our own pages
    except NameError:  # it uses a name of a program
        return None


def _data(value: Any) -> Iterator[dict[str, Any]]:
    """Host data: a dictionary that has settings, alone or in a group or a fleet."""
    if isinstance(value, dict) and HostSettings.model_fields.keys() & value.keys() and not _is_groups(value):
        yield value
    elif isinstance(value, dict | tuple | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _data(each)


def _is_groups(value: dict[str, Any]) -> bool:
    """Whether `gpu` names a group in it: a list of hosts, or their data."""
    return isinstance(value.get("gpu"), dict | list)


def test_every_language_is_known() -> None:
    unknown = [str(block) for block in CODE if block.language not in {"python", *PARSERS, *UNREAD}]

    assert unknown == [], "spell it `yaml`, `python`, `sh`, …"


@pytest.mark.parametrize("block", [each for each in CODE if each.language in PARSERS], ids=str)
def test_data_can_be_read(block: Block) -> None:
    assert PARSERS[block.language](block.text)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_imports_what_exists(block: Block) -> None:
    for node in ast.walk(parse(block)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fleethands"):
            module = importlib.import_module(node.module or "")
            assert [name.name for name in node.names if not _has(module, name.name)] == []


@pytest.mark.parametrize("block", [each for each in CODE if each.language in {"python", *PARSERS}], ids=str)
def test_settings_are_valid(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for data in declared(block):
        for model in data.get("models", []):
            if isinstance(model, dict) and "modelfile" in model:
                (tmp_path / model["modelfile"]).write_text("FROM codellama:7b\n")
        known = {key: value for key, value in data.items() if not key.startswith("ssh_")}
        _, mistakes, _ = check_settings({"host": {"models": ["codellama:7b"], **known}}, Lockfile())
        assert mistakes == []


def test_settings_are_found_in_each_form() -> None:
    forms = [
        'gpu = (["a"], {"gpu": True})',
        'lab = [("a", {"gpu": True}), "b"]',
        '"gpu": True, "models": []',
        "gpu = True",
        'fleet = {"a": {"gpu": True}}',
        'fleet = Fleet({"a": {"gpu": True}}, groups={"gpu": ["a"]})',
    ]

    assert all(declared(Block("page", 1, "python", form))[0]["gpu"] is True for form in forms)
    assert declared(Block("page", 1, "yaml", "all: {children: {gpu: {vars: {gpu: true}}}}")) == [{"gpu": True}]


def _has(module: Any, name: str) -> bool:
    try:
        return hasattr(module, name) or bool(importlib.import_module(f"{module.__name__}.{name}"))
    except ModuleNotFoundError:
        return False
