"""A directory that has a run's report in three forms, and a file that gets a few lines of Markdown."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleethands.files import atomic_write
from fleethands.report.formats import html_page, junit, markdown
from fleethands.report.model import Report


def _json(report: Report) -> str:
    return json.dumps(report.to_json(), indent=2) + "\n"


MAIN = "report.json"  # of which the others are made for readers
FORMS: dict[str, Callable[[Report], str]] = {
    MAIN: _json,
    "junit.xml": junit.render_junit,
    "report.html": html_page.render_html,
}
NAMES = tuple(FORMS)


class ReportFiles:
    """
    Where a report goes.

    + directory: gets report.json, junit.xml and report.html; made if it is missing
    + summary: gets Markdown at its end, as a CI's summary file is shared by all steps of a job
    """

    def __init__(self, directory: Path | None = None, summary: Path | None = None) -> None:
        self.directory, self.summary = directory, summary

    def ready(self) -> None:
        """Make what is missing and try to write. Raises OSError, with the place in it."""
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.directory):
                pass
            for name in NAMES:
                if (self.directory / name).is_dir():
                    raise IsADirectoryError(21, "Is a directory", str(self.directory / name))
        if self.summary is not None:
            self.summary.parent.mkdir(parents=True, exist_ok=True)
            with self.summary.open("a", encoding="utf-8"):
                pass

    def write(self, report: Report) -> None:
        """Each file whole: under its name is the one before or this one, never a part. Raises OSError."""
        if self.directory is not None:
            for name, form in FORMS.items():
                self.directory.mkdir(parents=True, exist_ok=True)
                atomic_write(self.directory / name, form(report).encode())
        if self.summary is not None:
            with _named(self.summary), self.summary.open("a", encoding="utf-8") as file:
                file.write(markdown.render_markdown(report))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """A full disk is an error that does not name its file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
