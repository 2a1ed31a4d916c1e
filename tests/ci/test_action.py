"""The GitHub Action runs in the workflow of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ci.workflows import Workflow, without_colors

FLEET = 'gpu = (["gpu-1.invalid", "gpu-2.invalid"], {"models": ["codellama:7b"]})\n'
KNOWN_HOSTS = "gpu-1.invalid ssh-ed25519 AAAA\ngpu-2.invalid ssh-ed25519 AAAA"

pytestmark = pytest.mark.soak


def test_a_pull_request_gets_a_plan_and_a_comment(tmp_path: Path) -> None:
    workflow = Workflow.create(tmp_path, FLEET)
    (tmp_path / "home/.ssh").mkdir(mode=0o700)
    (tmp_path / "home/.ssh/known_hosts").write_text("gpu-2.invalid ssh-ed25519 AAAA\nother.invalid ssh-ed25519 AAAA")

    job = workflow.run("pull_request", FLEET_KNOWN_HOSTS=KNOWN_HOSTS)

    output = without_colors(job.output)
    assert job.code == 1, output
    assert "unreachable: unknown host name: gpu-1.invalid" in output
    assert workflow.report("plan")["result"] == "failed"
    assert (workflow.artifacts / "comment.md").read_text().startswith("### ")
    assert (workflow.artifacts / "gh").read_text().startswith("pr comment 7 --edit-last --create-if-none --body-file /")
    assert (tmp_path / "home/.ssh/known_hosts").read_text().splitlines() == [
        "gpu-2.invalid ssh-ed25519 AAAA",
        "other.invalid ssh-ed25519 AAAA",
        "gpu-1.invalid ssh-ed25519 AAAA",
    ]


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ("command: destroy", "`command` is install, plan, apply or verify, not `destroy`"),
        ('inventory: ""', "the input `inventory` is missing"),
        ('arguments: "--hosts \'gpu"', "`arguments` has a quotation mark without its pair"),
        ("ssh-key: nonsense", "`ssh-key` is not a private key without a passphrase"),
        ("python: '3.2'", "`3.2` is not Python 3.11 or newer"),
    ],
)
def test_a_wrong_input_is_an_error_of_one_line(inputs: str, error: str, tmp_path: Path) -> None:
    name = inputs.partition(":")[0]
    given = {"command": "plan", "inventory": "inventory/prod.py"}
    given.pop(name, None)
    workflow = Workflow.create(tmp_path, FLEET)
    lines = [f"{key}: {value}" for key, value in given.items()] + [inputs]
    (workflow.place / ".github/workflows/fleet.yml").write_text(
        "on: push\njobs:\n  fleet:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: ops/fleethands@v0.1.0\n        with:\n" + "".join(f"          {line}\n" for line in lines)
    )

    job = workflow.run("push")

    output = without_colors(job.output)
    assert job.code == 1
    assert error in output
    assert "Traceback" not in output
