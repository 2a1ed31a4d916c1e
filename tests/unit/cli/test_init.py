"""`fleethands init`: a whole project to own, or nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleethands.cli import scaffold
from fleethands.settings.docs.example import inventory
from tests.helpers.checkout import ROOT
from tests.helpers.command_line import fleethands

LAID = {"deploy.py", "inventory/hosts.py"}


def tree(place: Path) -> dict[str, bytes]:
    """Every file, hidden ones too."""
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_a_project_is_laid_down_and_the_next_command_is_named(tmp_path: Path) -> None:
    done = fleethands("init", "my boxes", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "Created my boxes/inventory/hosts.py and my boxes/deploy.py\n\n"
        "Write the names of your hosts into my boxes/inventory/hosts.py. Then run:\n\n"
        "    cd 'my boxes'\n    fleethands trust\n    fleethands plan\n    fleethands apply\n"
    )
    laid = tree(tmp_path / "my boxes")
    assert set(laid) == LAID
    assert laid["deploy.py"] == (ROOT / "deploy.py").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["my boxes"]
    assert (tmp_path / "my boxes").stat().st_mode & 0o777 == 0o777 & ~_umask()


def test_what_is_laid_down_is_what_runs(tmp_path: Path) -> None:
    fleethands("init", "boxes", cwd=tmp_path)
    here = tmp_path / "boxes"
    hosts = here / "inventory/hosts.py"
    text = hosts.read_text().replace("gpu-1.example.net", "127.0.0.1")
    hosts.write_text(text.replace('"ssh_user"', '"ssh_port": 1,\n        "ssh_user"'))

    done = fleethands("plan", cwd=here)

    assert done.returncode == 1
    assert "inventory/hosts.py: 1 host" in done.stdout
    assert "unreachable" in done.stdout


@pytest.mark.parametrize(("options", "is_whole"), [([], False), (["--all-settings"], True)])
def test_the_inventory_is_short_unless_all_settings_are_asked_for(
    tmp_path: Path, options: list[str], is_whole: bool
) -> None:
    fleethands("init", "boxes", *options, cwd=tmp_path)

    text = (tmp_path / "boxes/inventory/hosts.py").read_text()
    assert text == inventory("inventory/hosts.py", all_settings=is_whole)
    assert ('"ollama_keep_alive"' in text) is is_whole


def test_its_own_deploy_file_is_the_one_that_runs(tmp_path: Path) -> None:
    fleethands("init", "boxes", cwd=tmp_path)
    (tmp_path / "boxes/deploy.py").write_text("raise SystemExit('the deploy file of this directory')\n")

    done = fleethands("plan", "@local", "--data", 'models=["m"]', cwd=tmp_path / "boxes")

    assert "the deploy file of this directory" in done.stdout + done.stderr


def test_nothing_is_overwritten_and_nothing_is_half_written(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts.py").write_text("mine")
    (tmp_path / "deploy.py").write_text("mine too")
    before = tree(tmp_path)

    done = fleethands("init", str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: `{tmp_path}` already has `inventory/hosts.py`, `deploy.py`; nothing was written\n\n"
        f"hint: create the project in another directory: `fleethands init {tmp_path}-new`\n"
    )
    assert tree(tmp_path) == before


def test_files_of_others_stay_beside(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")

    done = fleethands("init", str(tmp_path), "--json")

    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert (document["command"], document["result"]) == ("init", "changed")
    assert set(document["files"]) == LAID
    assert set(tree(tmp_path)) == {"README.md", *LAID}


def test_a_directory_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = fleethands("init", str(tmp_path / "file"))

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: cannot create a project in `{tmp_path}/file`: ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool) -> None:
    here = tmp_path / "boxes"
    if not fresh:
        here.mkdir()
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if target.name in {"deploy.py", "boxes"}:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)

    with pytest.raises(OSError, match="No space left"):
        scaffold.write_files(here, scaffold.project_files())
    assert [path.name for path in tmp_path.rglob("*")] == ([] if fresh else ["boxes"])


def test_a_wheel_lays_the_same_project_down_and_stock_pyinfra_runs_it(tmp_path: Path) -> None:
    """Away from the checkout, in an environment of its own that has this one's dependencies."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    (packages,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    subprocess.run([python, "-m", "zipfile", "-e", wheel, packages], check=True)
    dependencies = [path for path in sys.path if path.endswith("site-packages")]  # their .pth files are not read
    (packages / "dependencies.pth").write_text("\n".join(dependencies))

    def run(module: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        start = (
            f"import sys, fleethands; from {module} import main; print(fleethands.__file__, file=sys.stderr); main()"
        )
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYINFRA_PROGRESS": "off"}
        command = [str(python), "-c", start, *words]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    done = run("fleethands.cli.main", "init", "boxes", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"{packages}/fleethands/__init__.py")
    assert tree(tmp_path / "boxes") == scaffold.project_files()

    (tmp_path / "boxes/deploy.py").write_text("raise SystemExit('the deploy file of this directory')\n")

    done = run("pyinfra_cli.main", "@local", "deploy.py", "--dry", cwd=tmp_path / "boxes")

    assert "the deploy file of this directory" in done.stdout + done.stderr


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("all_settings", [False, True])
def test_the_inventory_of_a_project_names_no_page_of_the_checkout(all_settings: bool) -> None:
    assert "docs/" not in inventory("inventory/hosts.py", all_settings=all_settings)
