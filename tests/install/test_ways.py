"""fleethands is installed by each tool, from each source and on each Python, and then used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT
from tests.install import debian, pythons
from tests.install.conftest import Released
from tests.install.test_release import VERSION
from tests.install.ways import WAYS, Home
from tests.lab.internet.toolchain import uv

SAMPLE = ("uv", "wheel", pythons.THIS)
ALL = [(tool, source, python) for tool in WAYS for source in ("wheel", "sdist", "git") for python in pythons.SUPPORTED]


def requirement(released: Released, source: str) -> str:
    """What a user types for this source."""
    if source == "git":
        return f"git+file://{released.clone.root}"
    return str(released.file("*.whl" if source == "wheel" else "*.tar.gz"))


def assert_works(home: Home) -> None:
    """The version, a new project, and a plan for hosts that do not exist."""
    version = home.run(home.commands / "fleethands", "--version")
    assert (version.out, version.err) == (f"{VERSION}\n", "")
    created = home.run(home.commands / "fleethands", "init", "fleet")
    assert created.code == 0, created.err
    inventory = home.root / "fleet/inventory/hosts.py"
    inventory.write_text(re.sub(r"([\w-]+)\.example\.net", r"\1.invalid", inventory.read_text()))

    plan = home.run(home.commands / "fleethands", "plan", cwd=home.root / "fleet")

    assert plan.code == 1
    assert "unreachable: unknown host name: gpu-1.invalid" in plan.out
    assert "Traceback" not in plan.out + plan.err


@pytest.mark.parametrize(
    ("tool", "source", "version"),
    [pytest.param(*each, marks=[] if each == SAMPLE else pytest.mark.soak) for each in ALL],
)
def test_an_installed_fleethands_works(
    tool: str, source: str, version: str, released: Released, tmp_path: Path
) -> None:
    python = pythons.find(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    home = Home(tmp_path)

    WAYS[tool](home, python, requirement(released, source))

    assert_works(home)


@pytest.mark.soak
def test_pip_installs_the_tested_dependencies_by_their_hashes(released: Released, tmp_path: Path) -> None:
    python, home = pythons.find(pythons.THIS), Home(tmp_path)
    assert python
    home.install(python, "-m", "venv", tmp_path / "environment")
    pip = tmp_path / "environment/bin/pip"
    home.install(pip, "install", "--quiet", "--require-hashes", "-r", ROOT / "requirements/runtime.txt")
    home.install(pip, "install", "--quiet", "--no-deps", released.file("*.whl"))
    home.commands.symlink_to(tmp_path / "environment/bin")

    assert_works(home)
    assert home.run(pip, "check").out == "No broken requirements found.\n"


@pytest.mark.soak
def test_uv_installs_one_tag_with_the_tested_dependencies(released: Released, tmp_path: Path) -> None:
    clone = released.clone.copy(tmp_path / "clone")
    clone.git("tag", f"v{VERSION}")
    clone.replace("fleethands/__init__.py", VERSION, "9.8.7")
    clone.commit()
    home, python = Home(tmp_path), pythons.find(pythons.THIS)
    locked = ("--constraints", ROOT / "requirements/runtime.txt")

    home.install(
        uv(), "tool", "install", "--quiet", "--python", str(python), *locked, f"git+file://{clone.root}@v{VERSION}"
    )

    assert_works(home)


@pytest.mark.soak
@pytest.mark.timeout(1500)  # the first one makes the system
@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_debian_with_the_newest_python_installs_and_runs_it(tool: str, released: Released) -> None:
    """Debian's own Python 3.14, because no other one can be downloaded here as a package."""
    with debian.system("sid") as system:
        assert system.run("python3", "--version").startswith("Python 3.14.")
        system.copy(released.file("*.whl"))
        system.copy(Path(uv()))
        wheel = f"/root/{released.file('*.whl').name}"
        if tool == "uv":
            system.run("/root/uv", "tool", "install", "--quiet", "--python", "/usr/bin/python3", wheel)
            command = "/root/.local/bin/fleethands"
        else:
            system.run("python3", "-m", "venv", "/root/environment")
            system.run("/root/environment/bin/pip", "install", "--quiet", wheel)
            command = "/root/environment/bin/fleethands"

        assert system.run(command, "--version") == f"{VERSION}\n"
        system.run(command, "init", "/root/fleet")
        system.run("sed", "-i", "s/[.]example[.]net/.invalid/", "/root/fleet/inventory/hosts.py")
        plan = system.run(command, "plan", "/root/fleet/inventory/hosts.py", status=1)
        assert "unreachable: unknown host name: gpu-1.invalid" in plan
        assert "Traceback" not in plan
