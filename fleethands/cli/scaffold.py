"""Writes the project of `fleethands init`: all of it, or nothing."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from fleethands.deploy_files import DEPLOY, packaged_files
from fleethands.errors import FleethandsError
from fleethands.settings.docs.example import inventory

INVENTORY = "inventory/hosts.py"


def project_files(*, all_settings: bool = False) -> dict[str, bytes]:
    """
    Path inside a project → content.

    + all_settings: of the inventory, every setting instead of the five that matter first
    """
    text = inventory(INVENTORY, all_settings=all_settings)
    return {INVENTORY: text.encode(), DEPLOY: (packaged_files() / DEPLOY).read_bytes()}


def write_files(directory: Path, texts: Mapping[str, bytes]) -> None:
    """
    Write files into a directory, which need not exist.

    + texts: path inside the directory → content

    Raises FleethandsError if one of them exists, OSError if one can't be written; then nothing is left behind.
    """
    if existing := [f"`{path}`" for path in texts if os.path.lexists(directory / path)]:
        other = shlex.join(["fleethands", "init", f"{directory}-new"])
        raise FleethandsError(
            f"`{directory}` already has {', '.join(existing)}; nothing was written",
            f"create the project in another directory: `{other}`",
        )
    fresh = not directory.exists()
    home = directory.parent if fresh else directory
    home.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".fleethands-init-", dir=home))
    try:
        whole = work / "project"
        for path, content in texts.items():
            (whole / path).parent.mkdir(parents=True, exist_ok=True)
            (whole / path).write_bytes(content)
        if fresh:
            whole.rename(directory)
        else:
            _move(whole, directory, texts)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move(whole: Path, directory: Path, texts: Iterable[str]) -> None:
    missing = {parent for path in texts for parent in (directory / path).parents if not parent.exists()}
    placed: list[Path] = []
    try:
        for path in texts:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (whole / path).rename(directory / path)
            placed.append(directory / path)
    except BaseException:
        for each in placed:
            each.unlink()
        for parent in sorted(missing, reverse=True):
            with suppress(OSError):
                parent.rmdir()
        raise
