"""Modules and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
import statistics

from tests.helpers.checkout import ROOT

LONGEST_MODULE, LONGEST_FUNCTION = 250, 40  # lines
MEDIAN_MODULE = 80


def sources() -> dict[str, str]:
    files = [*(ROOT / "fleethands").rglob("*.py")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in files if path.name != "__init__.py"}


def test_modules_are_short() -> None:
    lines = {name: text.count("\n") for name, text in sources().items()}

    assert {name for name, count in lines.items() if count > LONGEST_MODULE} == set()
    assert statistics.median(lines.values()) < MEDIAN_MODULE


def test_functions_are_short() -> None:
    long = {
        f"{name}: {node.name}"
        for name, text in sources().items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }

    assert long == set()
