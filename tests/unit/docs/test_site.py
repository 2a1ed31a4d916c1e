"""The site is built from the pages without a fault, and shows what the pages show on GitHub."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.checkout import ROOT
from tests.helpers.pages import build_site, pages, tokens

SITE_PAGES = [page for page in pages() if page.parent != ROOT and page != ROOT / "docs/README.md"]
COUNTED = {
    "heading_open": "heading",
    "list_item_open": "item",
    "table_open": "table",
    "td_open": "cell",
    "fence": "code",
    "code_block": "code",
    "image": "image",
}
KINDS = {"li": "item", "table": "table", "td": "cell", "pre": "code", "img": "image"}


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without the functions that it names."""


_Loader.add_multi_constructor("!!python/", lambda loader, suffix, node: suffix)
_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


class ArticleReader(HTMLParser):
    """Counts what the article of a page shows, and keeps its code in sentences, and what the page loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.loaded: list[str] = []
        self.code: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "iframe"} and given.get("src"):
            self.loaded.append(given["src"] or "")
        if tag == "link" and given.get("rel") in {"stylesheet", "icon", "preconnect", "preload"}:
            self.loaded.append(given.get("href") or "")
        if tag in {"article", "code", "pre"}:
            self._open.append(tag)
        if "article" in self._open:
            kind = "heading" if re.fullmatch("h[1-6]", tag) else KINDS.get(tag)
            self.counts.update([kind] if kind else [])
            self.code += [""] if self._open[-1:] == ["code"] == [tag] and "pre" not in self._open else []

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1:] == [tag]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if "article" in self._open and self._open[-1] == "code" and "pre" not in self._open:
            self.code[-1] += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


def read_article(site: Path, page: Path) -> ArticleReader:
    name = page.relative_to(ROOT / "docs").as_posix()
    name = re.sub(r"(^|/)README\.md$", r"\1index.md", name)
    return ArticleReader((site / name).with_suffix(".html").read_text())


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: page.relative_to(ROOT / "docs").as_posix())
def test_a_page_shows_there_what_it_shows_on_github(site: Path, page: Path) -> None:
    """Each of the two programs that read Markdown has its own idea of lists, which begin without an empty line."""
    read = [inner for token in tokens(page.read_text()) for inner in (token, *(token.children or []))]
    expected = Counter(COUNTED[token.type] for token in read if token.type in COUNTED)

    shown = read_article(site, page)
    assert shown.counts == expected
    assert [code.strip() for code in shown.code] == [
        token.content.replace("\\|", "|") for token in read if token.type == "code_inline"
    ]


def test_the_site_loads_nothing_from_other_servers(site: Path) -> None:
    loaded = {name for page in site.rglob("*.html") for name in ArticleReader(page.read_text()).loaded}
    styles = "".join(style.read_text() for style in site.rglob("*.css"))

    assert any(name.endswith(".js") for name in loaded)
    assert [name for name in loaded if re.match(r"(\w+:)?//", name)] == []
    assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*", styles) == []


def test_japanese_pages_name_their_language(site: Path) -> None:
    for page in SITE_PAGES:
        html = (site / page.relative_to(ROOT / "docs")).with_suffix(".html")
        if page.name.endswith(".ja.md"):
            assert '<html lang="ja"' in html.read_text()
    assert '<html lang="en"' in (site / "index.html").read_text()


def test_both_languages_can_be_searched(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text())

    assert index["config"]["lang"] == ["en", "ja"]
    assert {"canary", "プロンプト"} <= {
        word for doc in index["docs"] for word in ("canary", "プロンプト") if word in doc["text"]
    }
    assert (site / "search/search_index.js").read_text().startswith("var __index = ")  # for pages on a disk


def test_the_index_in_the_repository_has_the_pages_of_the_site() -> None:
    """docs/README.md has the headings and the pages of mkdocs.yml, in the same order."""
    nav = yaml.load((ROOT / "mkdocs.yml").read_text(), _Loader)["nav"]  # noqa: S506  # a safe loader
    sections: dict[str, Any] = {}
    for each in nav:
        sections |= each if isinstance(each, dict) else {}

    assert [each for each in nav if not isinstance(each, dict)] == ["index.md"]
    assert listed((ROOT / "docs/README.md").read_text()) == sections


def listed(text: str) -> dict[str, list[str]]:
    """The pages that each section of an index links, without links to parts of pages."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, rest = section.partition("\n")
        found[heading] = re.findall(r"\]\(([^)#]+\.md)\)", rest)
    return found


def test_a_broken_link_a_broken_anchor_and_a_page_without_an_entry_are_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "docs/new.md").write_text("# New\n\n[a](missing.md) [b](index.md#missing)\n")

    with pytest.raises(AssertionError) as failure:
        build_site(tmp_path / "site", tmp_path)

    assert len(re.findall(r"missing\.md|#missing|- new\.md", str(failure.value))) >= 3, failure.value
