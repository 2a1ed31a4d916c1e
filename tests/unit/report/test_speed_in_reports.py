"""The speed of a host in each form of a report, and in the table of `status`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.cli.output import report_table
from fleethands.command_line import CommandLine
from fleethands.facts.files import File
from fleethands.facts.record import Record
from fleethands.operations.core.proof_record import Link, parse_links
from fleethands.report.formats import html_page, markdown
from fleethands.report.host_summary import COLUMNS, status_cells
from fleethands.report.load import InvalidReport, load_report
from fleethands.report.model import HostReport, Report
from fleethands.speed import Speed, format_rate, format_rates, read_speed
from tests.helpers import reports
from tests.hosts import bare

SPEED = Speed("codellama:7b", "8fdf" * 16, 1, 5, 62.04, 0.5, 0.021, 0.001, 0.3, 61.8, 2.0, -0.39, 4.1)
FASTER = replace(SPEED, tokens_per_second=104.6)
DETAIL = "62.0 tokens/s, 61.8 before (+0 % ± 4 %); first token after 0.021 s; 5 answers"


def link(speed: Speed = SPEED) -> Link:
    return Link("speed", True, 3.1, DETAIL, "", speed)


def run(*speeds: Speed, command: str = "apply") -> Report:
    status: Any = "changed" if command == "apply" else "unchanged"
    hosts = {f"gpu-{number}": HostReport(status, proof=[link(speed)]) for number, speed in enumerate(speeds, 1)}
    return reports.run(hosts, command)


def table(report: Report) -> list[str]:
    return list(report_table.lines(report, CommandLine(report.command, "fleet.py")))


def test_a_report_file_keeps_the_speed(tmp_path: Path) -> None:
    document = run(SPEED).to_json()
    (tmp_path / "report.json").write_text(json.dumps(document))

    loaded = load_report(tmp_path)

    assert document["hosts"]["gpu-1"]["proof"][0]["speed"]["tokens_per_second"] == 62.04
    assert loaded.hosts["gpu-1"].speed == SPEED
    assert loaded.to_json() == document


def test_a_report_without_speeds_has_no_key_for_them() -> None:
    document = reports.run({"gpu-1": reports.changed()}).to_json()

    assert "speed" not in json.dumps(document)


def test_a_report_file_with_a_damaged_speed_is_refused(tmp_path: Path) -> None:
    document = run(SPEED).to_json()
    document["hosts"]["gpu-1"]["proof"][0]["speed"]["tokens_per_second"] = "fast"
    (tmp_path / "report.json").write_text(json.dumps(document))

    with pytest.raises(InvalidReport):
        load_report(tmp_path)


def test_the_table_of_an_apply_has_the_speed_of_each_group() -> None:
    assert "  speed: 62.0 tokens/s, 61.8 before" in table(run(SPEED))
    assert "  speed: 62.0 to 105 tokens/s" in table(run(SPEED, FASTER))


def test_hosts_that_differ_in_their_speed_alone_are_shown_together() -> None:
    assert f"  ok      speed  {DETAIL}" in table(run(SPEED, command="verify"))
    assert "  ok      speed  62.0 to 105 tokens/s on 2 hosts" in table(run(SPEED, FASTER, command="verify"))


def test_a_summary_has_a_column_for_the_speed() -> None:
    assert "| gpu-1, gpu-2 (2 hosts) | ✔ changed |  | 62.0 to 105 tokens/s |" in markdown.render_markdown(
        run(SPEED, FASTER)
    )
    assert "speed" not in markdown.render_markdown(reports.run({"gpu-1": reports.changed()}))


def test_a_page_has_the_speed_of_each_host() -> None:
    page = html_page.render_html(run(SPEED))

    assert "1 of 1 links of the proof held, 62.0 tokens/s" in page
    assert "61.8 before (+0 % ± 4 %)" in page


def proof_file(speed: dict[str, Any]) -> File:
    return File("file", "0644", content=f"speed\tok\t3100\t{DETAIL}\t\t{json.dumps(speed)}\n".encode(), mtime=1)


def speed_cell(**files: File) -> str:
    seen = bare()
    for name, file in files.items():
        seen = seen.with_file({"proof": paths.PROOF, "record": paths.CURRENT_RECORD}[name], file)
    return dict(zip(COLUMNS, status_cells("gpu-1", HostReport("unchanged", probe=seen)), strict=True))["speed"]


def record_file(speed: Any) -> File:
    row = {
        "schema": 1, "by": "ana@build-2", "version": "0.1.0", "revision": "", "declared": {}, "run": "r",
        "versions": {"ollama": "0.24.0", "models": {}, "image": {}}, "time": "2026-11-30T03:00:00Z", "speed": speed,
    }  # fmt: skip
    return File("file", "0600", content=json.dumps(row).encode())


def test_the_status_of_a_host_has_the_speed_of_its_proof_or_else_of_its_record() -> None:
    record = record_file(FASTER.to_json())

    assert speed_cell(proof=proof_file(SPEED.to_json()), record=record) == "62.0 tokens/s"
    assert speed_cell(record=record) == "105 tokens/s"
    assert speed_cell() == "not measured"


def test_the_facts_of_a_host_have_the_speed_of_its_record() -> None:
    seen = bare().with_file(paths.CURRENT_RECORD, record_file(SPEED.to_json()))

    facts = json.loads(json.dumps(HostReport("unchanged", probe=seen).facts))

    assert facts["record"]["speed"] == SPEED.to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"tokens_per_second": "62"},
        {"tokens_per_second": -1},
        {"tokens_per_second": True},
        {"tokens_per_second": 1e300},
        {"answers": 2.5},
        {"slowdown_percent": -1e300},
        {"model": "m\x1b[2J"},
        {"digest": "x" * 5000},
        {"first_token_seconds": None},
    ],
)
def test_a_speed_that_a_host_made_up_is_none(change: dict[str, Any]) -> None:
    made_up = {**SPEED.to_json(), **change}

    with pytest.raises((ValueError, LookupError)):
        read_speed(made_up)
    (found,) = parse_links(proof_file(made_up).content)
    assert (found.detail, found.speed) == (DETAIL, None)
    record = Record.parse(record_file(made_up).content)
    assert record is not None
    assert (record.by, record.speed) == ("ana@build-2", None)


@pytest.mark.parametrize("figure", ["inf", "-nan", "Infinity", "1e999", "", "9" * 5000, '"a'])
def test_a_speed_that_is_no_json_makes_no_record_useless(figure: str) -> None:
    text = (record_file(SPEED.to_json()).content or b"").decode().replace("62.04", figure, 1)

    record = Record.parse(text.encode())

    assert record is not None
    assert (record.by, record.speed) == ("ana@build-2", None)


def test_keys_of_a_later_version_are_ignored() -> None:
    assert read_speed({**SPEED.to_json(), "joules_per_token": 3}) == SPEED


def test_a_rate_has_three_digits() -> None:
    assert [format_rate(rate) for rate in (0.5, 9.876, 31.24, 104.6, 2345.6)] == ["0.50", "9.88", "31.2", "105", "2346"]
    assert format_rates([]) == ""
