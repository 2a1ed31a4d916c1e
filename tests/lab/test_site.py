"""The site in a browser, opened from a disk as a person opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.pages import build_site
from tests.lab.browser import Page, browser, missing

RESULTS = "return [...document.querySelectorAll('.md-search-result__link')].map(each => each.href).join(' ')"


def search(page: Page, address: str, words: str) -> str:
    """The addresses that the site's search finds, the best one first."""
    page.open(address)
    page.wait_for("return document.readyState === 'complete'")
    page.type_into("input[name=query]", words)
    return str(page.wait_for(RESULTS, 30))


@pytest.mark.skipif(missing(), reason="no chromium here: `sh tests/lab/packages.sh chromium` (Debian's package)")
def test_the_search_works_from_a_disk_in_both_languages(tmp_path: Path) -> None:
    site = build_site(tmp_path)
    with browser() as page:
        english = search(page, (site / "index.html").as_uri(), "heartbeat")
        japanese = search(page, (site / "index.ja.html").as_uri(), "再起動")

    assert "glossary.html" in english
    assert "guide-step-by-step.ja.html" in japanese
