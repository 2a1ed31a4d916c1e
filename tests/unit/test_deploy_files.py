"""Which deploy files run: the project's, or the package's."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands.deploy_files import find_deploy_file, find_project, packaged_files
from tests.helpers.command_line import fleethands

FILES = ("deploy.py", "rollback.py", "verify.py", "uninstall.py")


def test_a_directory_without_a_deploy_file_uses_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verify.py").write_text("raise ValueError('an unrelated file')\n")

    assert find_project() == packaged_files()
    assert all(find_deploy_file(find_project(), name).is_file() for name in FILES)


@pytest.mark.parametrize("name", FILES[1:])
def test_a_project_uses_its_own_file_and_the_packages_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deploy.py").write_text("")

    assert find_project() == tmp_path
    assert find_deploy_file(tmp_path, "deploy.py") == tmp_path / "deploy.py"
    assert find_deploy_file(tmp_path, name) == packaged_files() / name

    (tmp_path / name).write_text("")

    assert find_deploy_file(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\nraise ValueError('mine')\n", "deploy.py, line 2: ValueError: mine"),
        ("import fleethands.nothing\n", "deploy.py, line 1: ModuleNotFoundError: No module named 'fleethands.nothing'"),
        ("def f(:\n", "deploy.py, line 1: SyntaxError: invalid syntax"),
    ],
)
def test_a_mistake_in_a_deploy_file_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "deploy.py").write_text(text)

    done = fleethands("plan", "@local", "--data", 'models=["m"]', cwd=tmp_path)

    assert done.returncode == 1
    assert f"@local  refused: {reason}" in done.stdout
    assert f"hint: correct {tmp_path}/deploy.py" in done.stdout
    assert "Traceback" not in done.stderr


def test_verify_runs_the_file_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "deploy.py").write_text("")
    (tmp_path / "verify.py").write_text("raise ValueError('the file of this directory')\n")

    done = fleethands("verify", "@local", "--data", 'models=["m"]', cwd=tmp_path)

    assert done.returncode == 1
    assert "verify.py, line 1: ValueError: the file of this directory" in done.stdout
