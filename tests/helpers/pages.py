"""The pages of this checkout, the code in them, and the site that they make."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.helpers.checkout import ROOT

SHELL = frozenset({"", "sh", "bash", "shell", "console"})
_PARSER = MarkdownIt("commonmark").enable("table")


class Block(NamedTuple):
    """
    A block of code, or code in a line of text.

    + page: its path in the checkout
    + line: the number of its first line
    + language: the word after the three backticks, or nothing
    + is_inline: whether it is inside of a sentence or a table
    """

    page: str
    line: int
    language: str
    text: str
    is_inline: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """README in each language, the changelog, and all pages of docs/."""
    return [*sorted(ROOT.glob("README*.md")), ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def tokens(text: str) -> list[Token]:
    """Markdown as GitHub reads it: headings, paragraphs, tables, code."""
    return _PARSER.parse(text)


def blocks(page: Path) -> Iterator[Block]:
    """Every piece of code of a page, in its order."""
    name, line = str(page.relative_to(ROOT)), 1
    for token in tokens(page.read_text()):
        line = token.map[0] + 1 if token.map else line
        if token.type in {"fence", "code_block"}:
            yield Block(name, line, token.info.strip().partition(" ")[0], token.content)
        for child in token.children or []:
            if child.type == "code_inline":
                yield Block(name, line, "", child.content, is_inline=True)


def build_site(place: Path, source: Path = ROOT) -> Path:
    """
    The site, built into a directory. Fails with mkdocs' messages, such as for a broken link.

    + source: a directory with mkdocs.yml and docs
    """
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place
