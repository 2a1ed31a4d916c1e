"""Where the deploy files of a run are."""

from __future__ import annotations

from pathlib import Path

import fleethands


def package_project() -> Path:
    """Where the package's own project is: in a wheel next to its modules, in a checkout around the package."""
    package = Path(fleethands.__file__).resolve().parent
    return package / "project" if (package / "project").is_dir() else package.parent


def find_project() -> Path:
    """Where deploy.py is: in the working directory, or in the package."""
    here = Path.cwd()
    return here if (here / "deploy.py").is_file() else package_project()
