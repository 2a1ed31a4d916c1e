"""`make release`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT
from tests.install.clones import Clone
from tests.install.conftest import Released

VERSION = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
RANDOM = """
import os
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    PLUGIN_NAME = "custom"
    def initialize(self, version, build_data):
        with open(os.path.join(self.root, "fleethands", "random.txt"), "wb") as file:
            file.write(os.urandom(8))
"""


def refusal(clone: Clone) -> tuple[str, str]:
    """The error and the hint of a release that is refused. `dist` stays as it was."""
    before = sorted(clone.root.glob("dist/*"))
    done = clone.release()
    assert done.returncode == 1, done.stdout
    assert sorted(clone.root.glob("dist/*")) == before
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error.removeprefix("error: "), hint.removeprefix("hint: ")


def test_a_release_has_four_files_that_match_their_checksums(released: Released) -> None:
    names = {file.name for file in released.dist.iterdir()}

    assert names == {
        f"fleethands-{VERSION}-py3-none-any.whl",
        f"fleethands-{VERSION}.tar.gz",
        f"fleethands-{VERSION}.cdx.json",
        "SHA256SUMS",
    }
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=released.dist, check=True, timeout=60)
    assert len(released.file("SHA256SUMS").read_text().splitlines()) == 3


def test_the_sdist_has_every_file_of_the_commit_and_no_other(released: Released) -> None:
    with tarfile.open(released.file("*.tar.gz")) as tar:
        names = {member.name.partition("/")[2] for member in tar if member.isfile()}
        times = {member.mtime for member in tar}

    assert names - {"PKG-INFO"} == set(released.clone.git("ls-files").splitlines())
    assert times == {int(released.clone.git("log", "-1", "--format=%ct"))}


def test_the_wheel_has_the_whole_package(released: Released) -> None:
    with zipfile.ZipFile(released.file("*.whl")) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"fleethands-{VERSION}.dist-info/METADATA").decode()

    assert names >= {name for name in released.clone.git("ls-files", "fleethands").splitlines()}
    assert {name.split("/")[0] for name in names} == {"fleethands", f"fleethands-{VERSION}.dist-info"}
    assert "Requires-Python: >=3.11\n" in metadata
    assert (ROOT / "README.md").read_text() in metadata


def test_the_bill_of_materials_has_each_locked_dependency(released: Released) -> None:
    text = released.file("*.cdx.json").read_text()
    document = json.loads(text)
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements/runtime.txt").read_text(), re.MULTILINE)
    parts = {
        (part["name"].lower().replace(".", "-").replace("_", "-"), part["version"]) for part in document["components"]
    }

    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "fleethands")
    assert parts == set(locked)
    assert [part["name"] for part in document["components"] if not part.get("licenses")] == []
    assert str(released.clone.root.parent) not in text
    assert "/tmp/" not in text


@pytest.mark.soak
def test_a_second_release_of_the_same_commit_has_the_same_bytes(released: Released, tmp_path: Path) -> None:
    again = released.clone.copy(tmp_path / "elsewhere")

    assert again.release().returncode == 0
    assert (again.root / "dist/SHA256SUMS").read_text() == released.file("SHA256SUMS").read_text()


def test_a_changed_checkout_is_no_release(clone: Clone) -> None:
    (clone.root / "notes.txt").write_text("mine")

    assert refusal(clone) == ("not in the last commit: `notes.txt`", "commit or remove these files: `git status`")


def test_a_version_without_a_date_is_no_release(clone: Clone) -> None:
    clone.replace("CHANGELOG.md", f"## {VERSION} (2026-01-02)", f"## {VERSION} (unreleased)")
    clone.commit()

    error, hint = refusal(clone)
    assert error == f"CHANGELOG.md has no date for version {VERSION}: `(unreleased)`"
    command = hint.removeprefix("date the section: `").removesuffix("`")
    (clone.root / "extra.txt").write_text("not in the sdist")
    clone.commit()
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    subprocess.run(command, shell=True, cwd=clone.root, env={"PATH": "/usr/bin:/bin", **who}, check=True, timeout=60)  # noqa: S602

    error, hint = refusal(clone)
    assert error == "the sdist lacks 1 files: `extra.txt`"
    assert "only-include" in hint


def test_a_version_that_the_changelog_lacks_is_no_release(clone: Clone) -> None:
    clone.replace("pyproject.toml", f'version = "{VERSION}"', 'version = "9.8.7"')
    clone.commit()
    assert refusal(clone)[0] == f"pyproject.toml has version 9.8.7, and fleethands/__init__.py has {VERSION}"

    clone.replace("fleethands/__init__.py", f'"{VERSION}"', '"9.8.7"')
    clone.commit()
    error, hint = refusal(clone)
    assert error == "CHANGELOG.md says nothing about version 9.8.7"
    assert "`## 9.8.7 (YYYY-MM-DD)`" in hint


def test_a_wrong_classifier_is_no_release(clone: Clone) -> None:
    clone.replace("pyproject.toml", '"Environment :: Console"', '"Environment :: Consoul"')
    clone.commit()

    assert "Consoul" in refusal(clone)[0]


def test_a_build_with_random_bytes_is_no_release(clone: Clone) -> None:
    (clone.root / "hatch_build.py").write_text(RANDOM)
    clone.replace(
        "pyproject.toml",
        "[tool.hatch.build.targets.wheel]\n",
        "[tool.hatch.build.hooks.custom]\n\n[tool.hatch.build.targets.wheel]\n",
    )
    clone.commit()

    assert re.fullmatch(r"two builds of `fleethands-.*` differ", refusal(clone)[0])


def test_a_directory_without_git_is_no_release(tmp_path: Path) -> None:
    done = Clone(tmp_path).release()

    assert done.returncode == 1
    assert "not a git repository" in done.stderr
    assert "hint: run this in a clone" in done.stderr
