"""A repository with the workflow of the documentation, and what runs it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ci.runners import Job, create_repository, run_github
from tests.helpers.checkout import ROOT
from tests.install.clones import Clone

EXAMPLE = ROOT / "docs/guides/ci/github.yml"
REPLACED = {"canary": "gpu-1.example.net", "parts": "PARTS: 4", "matrix": "[1, 2, 3, 4]"}
STANDINS = ROOT / "tests/ci/standins"
PULL_REQUEST = {
    "number": 7,
    "repository": {"full_name": "ops/fleet", "default_branch": "main"},
    "pull_request": {"number": 7, "head": {"ref": "change", "repo": {"full_name": "ops/fleet"}}},
}
GH = '#!/bin/sh\nprintf "%s\\n" "$*" > "$ARTIFACTS/gh"\nfor file; do :; done\ncp "$file" "$ARTIFACTS/comment.md"\n'


@dataclass(frozen=True)
class Workflow:
    """The repository of a fleet whose workflow is the example, with a real fleethands action and a home of its own."""

    place: Path
    home: Path
    artifacts: Path
    action: Path

    @classmethod
    def create(cls, place: Path, inventory: str, **replaced: str) -> Workflow:
        """
        Create the repository in a new directory.

        + inventory: the text of inventory/prod.py
        + replaced: a name of REPLACED → what a user writes in the place of that text
        """
        fleet, artifacts = place / "fleet", place / "artifacts"
        for directory in (fleet / "inventory", fleet / ".github/workflows", artifacts, place / "home/bin"):
            directory.mkdir(parents=True)
        (fleet / "inventory/prod.py").write_text(inventory)
        text = EXAMPLE.read_text()
        for old, new in replaced.items():
            assert REPLACED[old] in text
            text = text.replace(REPLACED[old], new)
        (fleet / ".github/workflows/fleet.yml").write_text(text)
        (place / "home/bin/gh").write_text(GH)
        (place / "home/bin/gh").chmod(0o755)
        create_repository(fleet)
        action = Clone.of_checkout(place / "action").root
        shutil.rmtree(action / ".git")
        return cls(fleet, place / "home", artifacts, action)

    def run(self, event: str, *words: str, **secrets: str) -> Job:
        """Run the jobs of an event. Each secret goes into a file that only this user can read."""
        payload = self.home / "event.json"
        whole = (
            PULL_REQUEST
            if event == "pull_request"
            else {"repository": PULL_REQUEST["repository"], "ref": "refs/heads/main"}
        )
        payload.write_text(json.dumps(whole))
        file = self.home / "secrets"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={json.dumps(value)}\n" for name, value in secrets.items()))
        used = {"ops/fleethands@v0.1.0": self.action}
        for name in ("upload-artifact", "download-artifact"):
            used[f"actions/{name}@v4"] = STANDINS / name
        local = [word for name, path in used.items() for word in ("--local-repository", f"{name}={path}")]
        environment = (
            "--env",
            f"ARTIFACTS={self.artifacts}",
            "--secret-file",
            str(file),
            "--secret",
            "GITHUB_TOKEN=none",
        )
        return run_github(self.place, self.home, event, "--eventpath", str(payload), *local, *environment, *words)

    def report(self, name: str) -> dict[str, Any]:
        """The report in an artifact."""
        document: dict[str, Any] = json.loads((self.artifacts / name / "report.json").read_text())
        return document


def without_colors(text: str) -> str:
    """The output of a runner without its terminal sequences."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
