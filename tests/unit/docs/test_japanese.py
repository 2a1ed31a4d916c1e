"""A Japanese page says what its English page says: it has the same parts, commands, settings and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.pages import pages, tokens

JAPANESE = [page for page in pages() if page.name.endswith(".ja.md")]
PARTS = {"heading_open", "paragraph_open", "bullet_list_open", "list_item_open", "tr_open", "fence", "code_block"}
_COMMENT = re.compile(r"\s*(?<!\S)#(?!!) .*|\s+$", re.MULTILINE)
_LETTER = re.compile(r"[ぁ-んァ-ヶ一-龠]")


def english(page: Path) -> Path:
    return page.with_name(page.name.replace(".ja.md", ".md"))


def parts(page: Path) -> list[str]:
    """The kinds of a page's parts, in their order: headings with their depth, list items, rows, code."""
    return [f"{each.type} {each.tag}" for each in tokens(page.read_text()) if each.type in PARTS]


def code(page: Path) -> list[str]:
    """Each block of code without its comments."""
    return [_COMMENT.sub("", each.content) for each in tokens(page.read_text()) if each.type in {"fence", "code_block"}]


def words(page: Path) -> list[str]:
    """All code in sentences, sorted, because sentences have another order in Japanese."""
    inline = [child for each in tokens(page.read_text()) for child in each.children or []]
    return sorted(child.content for child in inline if child.type == "code_inline")


def links(page: Path) -> list[str]:
    """All links, without the one to the other language; a link to a Japanese page is one to its English page."""
    inline = [child for each in tokens(page.read_text()) for child in each.children or []]
    found = [str(child.attrs["href"]).replace(".ja.md", ".md") for child in inline if child.type == "link_open"]
    return sorted(link for link in found if link != english(page).name)


def test_there_are_japanese_pages() -> None:
    assert {page.name for page in JAPANESE} >= {"README.ja.md", "index.ja.md", "guide-step-by-step.ja.md"}


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_a_japanese_page_has_the_parts_of_its_english_page(page: Path) -> None:
    assert parts(page) == parts(english(page))


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_a_japanese_page_has_the_code_of_its_english_page(page: Path) -> None:
    assert code(page) == code(english(page))
    assert words(page) == words(english(page))


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_a_japanese_page_has_the_links_of_its_english_page(page: Path) -> None:
    assert links(page) == links(english(page))


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_both_pages_link_to_each_other(page: Path) -> None:
    assert f"[English]({english(page).name})" in page.read_text()
    assert f"[日本語]({page.name})" in english(page).read_text()


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_every_sentence_is_japanese(page: Path) -> None:
    """A paragraph that was not translated has no kana."""
    prose = [each.content for each in tokens(page.read_text()) if each.type == "inline"]
    sentences = [text for text in prose if re.search(r"[.。]$", text)]

    assert len(sentences) > 3
    assert [text for text in sentences if not _LETTER.search(text)] == []
