"""What a release is made of: the wheel has all that runs, the source all that is worked on, and no litter."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

LITTER = (".orig", ".rej", ".swp", ".log", ".pyc", "~", ".lock", ".bak", ".part")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(place)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return place


def files_in_git() -> set[str]:
    """Files of this checkout that git keeps, or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return {path for path in listed if (ROOT / path).is_file()}


def test_the_wheel_has_all_that_runs_and_nothing_else(archives: Path) -> None:
    (path,) = archives.glob("*.whl")
    names = {name for name in zipfile.ZipFile(path).namelist() if ".dist-info/" not in name}
    laid = {f"fleethands/project/{name}.py" for name in ("deploy", "rollback", "verify", "uninstall")}

    assert names == {name for name in files_in_git() if name.startswith("fleethands/")} | laid
    assert "fleethands/operations/openhands/locks/tools.txt" in names


def test_the_source_has_all_that_is_worked_on_and_no_litter(archives: Path) -> None:
    (path,) = archives.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert names - {"PKG-INFO"} == files_in_git() - {"fleethands.lock"}
    assert [name for name in names if name.endswith(LITTER) or "__pycache__" in name] == []
