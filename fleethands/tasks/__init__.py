"""The tasks of a deploy: lists of operations, whose order matters."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fleethands.text.systemd import assignment, file_assignment, quote_word
from fleethands.text.toml import basic_string

_templates = Environment(  # noqa: S701  these are not pages: each value is quoted for what it goes into
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.filters.update(assignment=assignment, file_assignment=file_assignment, word=quote_word, toml=basic_string)


def render(template: str, **values: object) -> str:
    """The text of one of the templates of files on hosts. The template sees a mapping as its pairs."""
    return _render(
        template, **{key: tuple(each.items()) if isinstance(each, Mapping) else each for key, each in values.items()}
    )


@lru_cache(maxsize=256, typed=True)  # most hosts of a fleet have the same values
def _render(template: str, **values: object) -> str:
    return _templates.get_template(template).render(**values)
