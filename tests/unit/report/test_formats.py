"""The forms of a report: what they say, and that nothing a host says can break out of them."""

from __future__ import annotations

import json
import os
import re
import stat
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from fleethands.operations.core.proof_record import Link
from fleethands.report.formats import NAMES, ReportFiles, html_page, junit, markdown
from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.report.step import Step
from tests.helpers import reports
from tests.helpers.junit_rules import breaches


class Page(HTMLParser):
    """A page's elements, its words without its style, and what is not closed."""

    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style" and data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def said(self) -> str:
        return "\n".join(self.words)


def hostile() -> Report:
    """A report in which every text that others can choose is chosen to do harm."""
    bad = reports.HOSTILE
    change = ChangeReport(bad, bad, bad, bad, bad, bad, bad, f"+{bad}\n-{bad}")
    host = HostReport("failed", bad, [bad], [bad], [bad], 1.0, 1, [change] * 4, [Link(bad, False, 0.1, bad, bad)])
    host.steps = [Step(bad, reports.NOON, 30.0, ok=False)]
    report = reports.run({bad: host, "x" + bad: HostReport("not-run", bad)})
    report.words, report.by, report.error, report.hints, report.shard = bad, bad, bad, [bad], bad
    return report


@pytest.fixture(params=["apply", "verify", "plan", "status", "uninstall", "rollback"])
def report(request: pytest.FixtureRequest) -> Report:
    made = reports.apply(**{"gpu-9": HostReport("pending", changes=[reports.override()])})
    made.command = request.param
    return made


def test_the_page(snapshot: SnapshotAssertion) -> None:
    assert Page(html_page.render_html(reports.apply())).said == snapshot


def test_the_summary(snapshot: SnapshotAssertion) -> None:
    assert markdown.render_markdown(reports.apply()) == snapshot


def test_junit(snapshot: SnapshotAssertion) -> None:
    assert junit.render_junit(reports.apply()) == snapshot


def test_junit_keeps_to_its_schema(report: Report) -> None:
    for each in (report, hostile(), reports.run({}), reports.run({"a": HostReport("unchanged")})):
        assert breaches(junit.render_junit(each)) == []


def test_the_schemas_rules_see_what_breaks_them() -> None:
    text = junit.render_junit(reports.apply())
    for old, new in (
        ('tests="13"', 'tests="12"'),
        ("<skipped ", "<ignored "),
        ('classname="gpu-1" ', ""),
        ('time="42.000"', 'time="42 s"'),
        ("</properties>", '</properties><system-out/><testcase name="x" classname="y"/>'),
    ):
        assert old in text
        assert breaches(text.replace(old, new))


def test_junit_tells_failed_from_not_tried_and_from_not_run() -> None:
    cases = {
        case.get("name"): [child.tag for child in case if child.tag != "system-out"]
        for case in ET.fromstring(junit.render_junit(reports.apply())).iter("testcase")  # noqa: S314 (the test itself made it)
        if case.get("classname") == "fleethands.apply"
    }

    assert cases == {
        "gpu-1": [],
        "gpu-2": [],
        "gpu-3": [],
        "gpu-4": ["failure"],
        "gpu-5": ["error"],
        "gpu-6": ["error"],
        "gpu-7": ["skipped"],
        "gpu-8": ["failure"],
    }


def test_drift_is_a_failure_of_a_status_and_none_of_a_plan() -> None:
    for command, verdicts in (("status", ["failure"]), ("plan", [])):
        drifted = reports.run({"gpu-1": HostReport("pending", changes=[reports.override()])}, command)
        (case,) = ET.fromstring(junit.render_junit(drifted)).iter("testcase")  # noqa: S314 (the test itself made it)
        assert [child.tag for child in case if child.tag != "system-out"] == verdicts


def test_a_page_is_one_file_that_asks_for_nothing(report: Report) -> None:
    text = html_page.render_html(report)
    seen = Page(text)

    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    assert seen.open == []
    names = {tag for tag, _ in seen.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base", "a"}
    attributes = {name for _, found in seen.elements for name in found}
    assert not attributes & {"src", "href", "srcset", "action", "data", "background"}
    assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text
    assert [tag for tag, _ in seen.elements if tag == "h1"] == ["h1"]


def test_a_page_says_in_words_what_it_shows_by_colour(report: Report) -> None:
    said = Page(html_page.render_html(report)).said
    for name, host in report.hosts.items():
        assert name in said
        assert host.reason in said


def test_nothing_that_a_host_says_breaks_out_of_a_page() -> None:
    text = html_page.render_html(hostile())
    seen = Page(text)

    assert seen.open == []
    assert "script" not in {tag for tag, _ in seen.elements}
    assert "<script>alert(1)</script>" in seen.said  # as words
    assert "49" not in seen.said
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff\u202a-\u202e]", text)


def test_nothing_that_a_host_says_breaks_out_of_a_summary() -> None:
    text = markdown.render_markdown(hostile())
    rows = [line for line in text.splitlines() if line.startswith("| ")]

    assert len(rows) == 2 + 2
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    shown = Page(MarkdownIt("commonmark").enable("table").render(text))  # raw HTML would stay what it is
    assert not {tag for tag, _ in shown.elements} - {
        *("h3", "p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary")
    }
    assert shown.said.count("<script>alert(1)</script>") >= 8
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff\u202a-\u202e]", text)


def test_a_large_fleet_stays_short_where_many_say_the_same() -> None:
    whole = reports.run({f"gpu-{number:03}": reports.changed() for number in range(200)})
    several = reports.run({f"gpu-{number:03}": HostReport("failed", f"reason {number}") for number in range(200)})

    assert len(markdown.render_markdown(whole)) < 1000
    assert "200 hosts" in markdown.render_markdown(whole)
    assert "| 150 hosts more | see report.html |" in markdown.render_markdown(several)


def test_files_are_whole_and_readable_and_the_summary_grows(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("of another step\n")
    written = ReportFiles(tmp_path / "deep/er", tmp_path / "summary.md")
    written.ready()

    written.write(reports.apply())
    written.write(reports.run({"gpu-1": HostReport("unchanged")}))

    assert sorted(os.listdir(tmp_path / "deep/er")) == sorted(NAMES)
    assert json.loads((tmp_path / "deep/er/report.json").read_text())["result"] == "unchanged"
    assert stat.S_IMODE((tmp_path / "deep/er/report.html").stat().st_mode) & 0o444 == 0o444
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("of another step\n")
    assert text.count("### ") == 2


def test_a_write_that_fails_leaves_the_report_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ReportFiles(tmp_path)
    written.write(reports.run({"gpu-1": HostReport("unchanged")}))
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        written.write(reports.apply())

    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before
