"""Finds the prose of a file: Markdown, comments, docstrings, messages."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

CODE = "`code`"  # what inline code becomes: a word that no rule matches
_INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_FENCED = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:\A|(?<=\n\n))(?:(?: {4}|\t).*\n?|\n)+", re.MULTILINE)
_ADDRESS = re.compile(r"\]\([^)\s]*\)|<?https?://\S+|<!--.*?-->", re.DOTALL)
_CELLS = re.compile(r"(?<!\\)\|")
_PARAMETERS = re.compile(r"^ *\+ [\w, ]+:", re.MULTILINE)  # `+ name, name:` of a docstring
_HASH_COMMENT = re.compile(r"(?:^|\s)#+:? +(.*)")
_SHELL_MESSAGE = re.compile(r"^\s*(?:.*\|\| )?(?:fail|note|warn|hint|progress) (.*)")
_SHELL_WORDS = re.compile(r'"((?:\\.|[^"\\])*)"|\'([^\']*)\'')


class Text(NamedTuple):
    """Some prose with its line breaks, and the line that it begins at."""

    line: int
    words: str


def in_markdown(source: str) -> Iterator[Text]:
    """Paragraphs, list items and the cells of tables, without code and addresses."""
    for pattern in (_FENCED, _INDENTED, _ADDRESS):
        source = pattern.sub(lambda found: "\n" * found[0].count("\n"), source)
    block: list[str] = []
    begin = 1
    for number, line in enumerate([*source.splitlines(), ""], 1):
        item = re.match(r"\s*(?:[-*]|\d+\.|#+|>) +", line)
        if not line.strip() or item or line.startswith("|"):
            yield Text(begin, _without_code("\n".join(block)))
            block = []
        if line.startswith("|"):
            yield from (Text(number, _without_code(cell.strip())) for cell in _CELLS.split(line))
        elif line.strip():
            begin = begin if block else number
            block.append(line[item.end() :] if item else line.strip())


def in_python(source: str) -> Iterator[Text]:
    """Comments, and every string with more than one word: docstrings, help texts, messages."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(token.start[0], _without_code(token.string))
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        words = _string(node) if id(node) not in parts else ""
        if " " in words:
            yield Text(node.lineno, _without_code(_PARAMETERS.sub(CODE, words)))  # type: ignore[attr-defined]  # strings have one


def _string(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else CODE for part in node.values)
    return ""


def in_shell(source: str) -> Iterator[Text]:
    """Comments, and what functions such as `fail` print."""
    for number, line in enumerate(source.splitlines(), 1):
        if comment := _HASH_COMMENT.search(line):
            yield Text(number, _without_code(comment[1]))
        elif message := _SHELL_MESSAGE.match(line):
            yield from (Text(number, _without_code(a or b)) for a, b in _SHELL_WORDS.findall(message[1]))


def _without_code(words: str) -> str:
    return _INLINE_CODE.sub(lambda found: CODE + "\n" * found[0].count("\n"), words)


FORMS: dict[str, Callable[[str], Iterator[Text]]] = {
    ".md": in_markdown,
    ".py": in_python,
    ".sh": in_shell,
    ".j2": in_shell,
    ".yaml": in_shell,
    ".yml": in_shell,
    ".toml": in_shell,
    "": in_shell,  # Makefile, .ci/run
}


def in_file(path: Path) -> Iterator[Text]:
    """The prose of one file; nothing for a file of another kind."""
    return FORMS[path.suffix](path.read_text()) if path.suffix in FORMS else iter(())


def names_in(path: Path) -> Iterator[Text]:
    """What a Python file names: itself, its functions (tests are sentences, and no names) and classes."""
    yield Text(1, path.stem)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith(
            "test_"
        ):
            yield Text(node.lineno, node.name)
