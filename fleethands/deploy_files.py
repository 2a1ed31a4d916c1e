"""Which deploy files run: those of the user's project, and the package's where the project has none."""

from __future__ import annotations

from pathlib import Path

DEPLOY = "deploy.py"


def packaged_files() -> Path:
    """The directory of the package's deploy files: next to its modules in a wheel, around the package in a checkout."""
    package = Path(__file__).resolve().parent
    return package / "project" if (package / "project").is_dir() else package.parent


def find_project() -> Path:
    """
    The working directory if it has a deploy.py, otherwise the package's directory.

    Without a deploy.py, no other file counts: an unrelated verify.py must not run.
    """
    here = Path.cwd()
    return here if (here / DEPLOY).is_file() else packaged_files()


def find_deploy_file(project: Path, name: str) -> Path:
    """
    A deploy file of the project, or the package's file of that name if the project has none.

    Example:

        find_deploy_file(Path("/home/me/fleet"), "rollback.py")
    """
    own = project / name
    return own if own.is_file() else packaged_files() / name
