"""The Pythons that fleethands supports, where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lab.internet.toolchain import uv

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def find(version: str) -> Path | None:
    """
    An interpreter of this version: the one that runs the tests, or one of pyenv, uv or PATH.

    None if this machine has none.
    """
    if version == THIS:
        return Path(sys.base_prefix) / f"bin/python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for found in sorted(pyenv.glob(f"{version}.*/bin/python{version}")):
        return found
    line = [uv(), "python", "find", "--no-python-downloads", version]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    found_on_path = shutil.which(f"python{version}")
    path = done.stdout.strip() if done.returncode == 0 else found_on_path
    return Path(path) if path else None
