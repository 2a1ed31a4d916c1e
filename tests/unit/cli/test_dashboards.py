"""`fleethands dashboards`: writes two files, and overwrites no file that a user changed."""

from __future__ import annotations

import json
from pathlib import Path

from fleethands.dashboards import dashboard_files
from tests.helpers.command_line import fleethands


def test_the_files_are_written_once(tmp_path: Path) -> None:
    done = fleethands("dashboards", "watch", cwd=tmp_path)

    assert done.stdout == "Wrote watch/grafana-dashboard.json and watch/prometheus-rules.yml\n", done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "watch").iterdir()} == dashboard_files()
    again = fleethands("dashboards", "watch", "--json", cwd=tmp_path)
    assert json.loads(again.stdout) == {
        "schema": 1, "command": "dashboards", "result": "unchanged", "directory": "watch", "files": [],
    }  # fmt: skip


def test_a_changed_file_is_overwritten_only_by_force(tmp_path: Path) -> None:
    rules = tmp_path / "prometheus-rules.yml"
    rules.write_text("mine")

    done = fleethands("dashboards", ".", cwd=tmp_path)

    assert (done.returncode, rules.read_text()) == (1, "mine")
    assert "`prometheus-rules.yml` differs from the file of this release; nothing was written" in done.stderr
    assert "fleethands dashboards . --force" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [rules.name]
    assert fleethands("dashboards", ".", "--force", cwd=tmp_path).returncode == 0
    assert rules.read_bytes() == dashboard_files()[rules.name]


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = fleethands("dashboards", "file/watch", cwd=tmp_path)

    assert done.returncode == 1
    assert "cannot write the dashboards to `file/watch`" in done.stderr
