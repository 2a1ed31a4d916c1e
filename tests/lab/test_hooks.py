"""Hooks around real runs, and a secret that a command prints."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.project import Project

NOTE = 'env | grep ^FLEETHANDS_ > {name}; cp "$FLEETHANDS_REPORT" {name}.json; echo "with $(cat value)"'
OVERRIDE = "/etc/systemd/system/ollama.service.d/50-fleethands.conf"


def lay(project: Project, name: str, script: str) -> None:
    path = project.place / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def declare(project: Project, **data: object) -> None:
    """The inventory with a secret of a command, which notes each of its runs."""
    project.declare(**data)
    inventory = project.place / "inventory/lab.py"
    value = '{"OLLAMA_API_KEY": _Secret.command(["sh", "-c", "echo once >> runs; cat value"])}'
    text = inventory.read_text().replace("**_DATA}", f'**_DATA, "ollama_env": {value}}}')
    inventory.write_text(f"from fleethands.settings import Secret as _Secret\n{text}")


def variables(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def test_hooks_run_around_a_change_and_a_secret_comes_from_a_command(lab: Lab, serving: Host, tmp_path: Path) -> None:
    project = Project.laid(lab, tmp_path / "project", "lab-1")
    declare(project, **QUIET, ollama_keep_alive="7m")
    (project.place / "value").write_text("hunter2-of-a-store\n")
    before = serving.run(f"sha256sum {OVERRIDE}").stdout
    lay(project, "pre-apply", "echo no window; exit 4")
    lay(project, "post-apply", NOTE.format(name="after"))

    stopped = project.fleethands("apply", "--yes")

    assert stopped.code == 1
    assert "pre-apply: no window\n" in stopped.err
    assert "error: hooks/pre-apply exited with 4, nothing was changed\n" in stopped.err
    assert serving.run(f"sha256sum {OVERRIDE}").stdout == before
    assert not (project.place / "after").exists()

    (project.place / "runs").unlink()
    lay(project, "pre-apply", NOTE.format(name="before"))
    done = project.fleethands("apply", "--yes", "--json")

    assert done.code == 0, done.err
    assert done.document["result"] == "changed"
    seen, later = variables(project.place / "before"), variables(project.place / "after")
    assert (seen["FLEETHANDS_RESULT"], later["FLEETHANDS_RESULT"]) == ("pending", "changed")
    assert seen["FLEETHANDS_HOSTS"] == later["FLEETHANDS_HOSTS"] == "lab-1"
    assert seen["FLEETHANDS_RUN"] == later["FLEETHANDS_RUN"]
    assert seen["FLEETHANDS_RUN"] in serving.run("cat /var/lib/fleethands/turn").stdout
    report = json.loads((project.place / "after.json").read_text())
    assert report["hosts"]["lab-1"]["status"] == "changed"
    assert "post-apply: with ********\n" in done.err
    assert "hunter2" not in done.out + done.err + (project.place / "after.json").read_text()
    assert "hunter2-of-a-store" in serving.run("cat /etc/fleethands/ollama.env").stdout
    assert (project.place / "runs").read_text() == "once\n"

    lay(project, "post-rollback", "exit 1")
    (project.place / "before").unlink()
    same = project.fleethands("apply", "--yes")
    assert same.code == 0
    assert not (project.place / "before").exists()
    assert "post-apply" not in same.err

    rolled = project.fleethands("rollback", "--to", "previous", "--yes")
    assert "warning: hooks/post-rollback exited with 1; the hosts are as the report shows\n" in rolled.err
    assert rolled.code == 0, rolled.err
