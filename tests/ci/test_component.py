"""The GitLab component runs with the inputs of a project: the plan of a merge request, and the apply of a branch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.ci.runners import create_repository, run_gitlab
from tests.ci.wheels import build_wheel
from tests.helpers.checkout import ROOT

PIPELINE = """
include:
  - local: templates/fleethands.yml
    inputs:
      inventory: inventory/my fleet.py
      install: {wheel}
      plan-arguments: --exclude "gpu-2*"
      canary: gpu-1.invalid
      parts: 2
"""
FLEET = 'gpu = (["gpu-1.invalid", "gpu-2.invalid", "gpu-3.invalid"], {"models": ["codellama:7b"]})\n'
MERGE_REQUEST = (
    "--variable",
    "CI_PIPELINE_SOURCE=merge_request_event",
    "--ignore-predefined-vars",
    "CI_PIPELINE_SOURCE",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a fleet that does not exist."""
    place = tmp_path / "project"
    (place / "inventory").mkdir(parents=True)
    (place / "inventory/my fleet.py").write_text(FLEET)
    shutil.copytree(ROOT / "templates", place / "templates")
    (place / ".gitlab-ci.yml").write_text(PIPELINE.format(wheel=build_wheel(tmp_path)))
    create_repository(place)
    return place


def test_a_merge_request_gets_a_plan(project: Path, tmp_path: Path) -> None:
    job = run_gitlab(project, tmp_path / "home", *MERGE_REQUEST, "fleethands-plan")

    assert "FAIL 1" in job.output, job.output
    assert "gpu-1.invalid  unreachable: unknown host name: gpu-1.invalid" in job.output
    report = json.loads((project / "reports/plan/report.json").read_text())
    assert sorted(report["hosts"]) == ["gpu-1.invalid", "gpu-3.invalid"]
    assert "### " in (project / "reports/plan/summary.md").read_text()


@pytest.mark.soak
def test_a_branch_gets_a_canary_first(project: Path, tmp_path: Path) -> None:
    job = run_gitlab(project, tmp_path / "home")

    assert job.code == 1, job.output
    report = json.loads((project / "reports/canary/report.json").read_text())
    assert list(report["hosts"]) == ["gpu-1.invalid"]
    assert not (project / "reports/part-1").exists()
