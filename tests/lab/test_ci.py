"""The GitHub Action and the GitLab component change a real host. Keys come from secrets, and nothing else is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.ci.runners import create_repository, run_gitlab
from tests.ci.test_component import MERGE_REQUEST, PIPELINE
from tests.ci.wheels import build_wheel
from tests.ci.workflows import Workflow, without_colors
from tests.helpers.checkout import ROOT
from tests.lab import observe
from tests.lab.host import Host
from tests.lab.lab import Lab

pytestmark = pytest.mark.soak

FLEET = """
gpu = ([("lab-1", {{"ssh_hostname": "{address}"}})], {{
    "ssh_user": "root", "ollama_version": "0.24.0", "models": ["codellama:7b"], "openhands_flavor": "off",
    "ollama_keep_alive": "{keep_alive}",
}})
"""


def known_hosts(lab: Lab) -> str:
    """What `fleethands trust` would have written."""
    return lab.site.access.known_hosts.read_text()


def test_github_plans_comments_and_applies(lab: Lab, serving: Host, tmp_path: Path) -> None:
    fleet = FLEET.format(address=serving.address, keep_alive="7m")
    workflow = Workflow.create(tmp_path, fleet, canary="lab-1", parts="PARTS: 1", matrix="[1]")
    key = lab.site.access.identity.read_text()
    secrets = {"FLEET_SSH_KEY": key, "FLEET_KNOWN_HOSTS": known_hosts(lab)}

    planned = workflow.run("pull_request", **secrets)

    output = without_colors(planned.output)
    assert planned.code == 0, output
    assert workflow.report("plan")["result"] == "pending"
    comment = (workflow.artifacts / "comment.md").read_text()
    assert "OLLAMA_KEEP_ALIVE" in comment.replace("\\_", "_")

    applied = workflow.run("push", **secrets)

    output = without_colors(applied.output)
    assert applied.code == 0, output
    assert workflow.report("canary")["hosts"]["lab-1"]["status"] == "changed"
    assert workflow.report("part-1")["hosts"]["lab-1"]["status"] == "unchanged"
    assert workflow.report("report")["result"] == "unchanged"
    assert observe.proven(serving, observe.OLLAMA_LINKS)
    assert key.splitlines()[2] not in output
    assert not list((workflow.home / ".ssh").glob("id_*"))


def test_gitlab_plans_and_applies(lab: Lab, serving: Host, tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    (project / "inventory").mkdir(parents=True)
    (project / "inventory/my fleet.py").write_text(FLEET.format(address=serving.address, keep_alive="8m"))
    shutil.copytree(ROOT / "templates", project / "templates")
    inputs = PIPELINE.format(wheel=build_wheel(tmp_path)).replace("parts: 2", "parts: 1")
    inputs = inputs.replace("gpu-1.invalid", "lab-1").replace('--exclude "gpu-2*"', '--hosts "lab-*"')
    (project / ".gitlab-ci.yml").write_text(inputs)
    create_repository(project)
    files = {"FLEET_SSH_KEY": lab.site.access.identity, "FLEET_KNOWN_HOSTS": lab.site.access.known_hosts}
    variables = [word for name, path in files.items() for word in ("--variable", f"{name}={path}")]

    planned = run_gitlab(project, home, *variables, *MERGE_REQUEST, "fleethands-plan")

    assert "WARN 2" in planned.output, planned.output
    assert json.loads((project / "reports/plan/report.json").read_text())["result"] == "pending"

    applied = run_gitlab(project, home, *variables)

    assert applied.code == 0, applied.output
    statuses = [
        json.loads((project / f"reports/{part}/report.json").read_text())["hosts"]["lab-1"]["status"]
        for part in ("canary", "part-1")
    ]
    assert statuses == ["changed", "unchanged"]
    assert json.loads((project / "report/report.json").read_text())["result"] == "unchanged"
    assert observe.proven(serving, observe.OLLAMA_LINKS)
