"""What the site changes on pages, so that they also read well in the repository."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_CELL = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """
    Replace a link to a file of the repository that is no page, such as an example, by its text and path.

    + markdown: the source of the page
    """
    here = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def text(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(here, link[2]))
        if path.startswith("docs/"):
            return link[0]
        return link[1] if path in link[1] else f"{link[1]} ({path})"

    return _LINK.sub(text, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """
    Show a `|` of code in a table without its backslash, as GitHub does.

    + html: the page's content
    """
    return _CELL.sub(lambda cell: cell[0].replace(r"\|", "|"), html)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """
    Name the language of a page whose name ends in `.ja.md`, because it decides the shapes of characters.

    + output: the whole page as HTML
    """
    if not page.file.src_uri.endswith(".ja.md"):
        return output
    return output.replace('<html lang="en"', '<html lang="ja"', 1)
