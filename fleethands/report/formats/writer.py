"""Writes a report as JSON, JUnit and HTML into a directory, and as Markdown to the end of a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleethands.files import READABLE, atomic_write
from fleethands.report.model import Report
from fleethands.report.report_text import report_text


def _junit(report: Report) -> list[str]:
    from fleethands.report.formats import junit  # noqa: PLC0415  few runs write a report

    return [junit.render_junit(report)]


def _html(report: Report) -> list[str]:
    from fleethands.report.formats import html_page  # noqa: PLC0415

    return [html_page.render_html(report)]


MAIN = "report.json"  # the one that `fleethands report` reads
FORMS: dict[str, Callable[[Report], Iterable[str]]] = {
    MAIN: report_text,
    "junit.xml": _junit,
    "report.html": _html,
}
NAMES = tuple(FORMS)


class ReportFiles:
    """
    The files of one report.

    + directory: for report.json, junit.xml and report.html; it is made if missing
    + summary: Markdown is appended to it, because all steps of a CI job share one summary file
    """

    def __init__(self, directory: Path | None = None, summary: Path | None = None) -> None:
        self.directory, self.summary = directory, summary

    def ready(self) -> None:
        """Make missing directories and check that they are writable. Raises OSError that names the path."""
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
        """Write all files. Each is replaced at once, so that a reader never sees half of one. Raises OSError."""
        if self.directory is not None:
            for name, form in FORMS.items():
                self.directory.mkdir(parents=True, exist_ok=True)
                atomic_write(self.directory / name, (part.encode() for part in form(report)), READABLE)
        if self.summary is not None:
            from fleethands.report.formats import markdown  # noqa: PLC0415

            with _name_file_in_error(self.summary), self.summary.open("a", encoding="utf-8") as file:
                file.write(markdown.render_markdown(report))


@contextmanager
def _name_file_in_error(path: Path) -> Iterator[None]:
    """Name the file in an OSError that lacks it, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
