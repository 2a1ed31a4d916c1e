"""Git repositories under upstream's names at github.com: stand-ins, made of what upstream publishes as packages."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab import cache
from tests.lab.internet import rootfs
from tests.lab.shell import run

FILES = Path(__file__).with_name("repositories")
V0, CANVAS = "All-Hands-AI/OpenHands", "OpenHands/OpenHands"
TAGS = {V0: "0.62.0", CANVAS: "1.16.0"}
ORIGINS = {
    V0: "the PyPI wheel openhands-ai==0.62.0; Makefile, page and requirements.txt are not upstream's",
    CANVAS: "the npm package @openhands/agent-canvas@1.16.0; package.json names only what its scripts load",
}
PAGE = {"name": "stand-in", "private": True, "scripts": {"build": "mkdir -p build && cp index.html build/"}}
HTML = "<!doctype html><title>OpenHands</title><p>Stand-in of the fleethands lab: upstream's page is in no package.\n"


@dataclass(frozen=True)
class Repository:
    """A bare repository of one lab, which tests may add to."""

    place: Path

    def commit(self, branch: str, files: dict[str, str], onto: str = "HEAD") -> str:
        """A commit with these files more, or others, at the tip of a branch; its name."""
        tree = self.place.with_name(self.place.name + ".work")
        _git(self.place, "worktree", "prune")
        _git(self.place, "worktree", "add", "--quiet", "--force", "--detach", tree, onto)
        try:
            for name, text in files.items():
                (tree / name).write_text(text)
            commit = _committed(tree, f"Change {', '.join(files)}")
        finally:
            _git(self.place, "worktree", "remove", "--force", tree)
        _git(self.place, "update-ref", f"refs/heads/{branch}", commit)
        return commit


def copied(directory: Path) -> None:
    """Both, as they were made, under `directory`."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(cache.made(f"repositories-{_key()}", _make), directory)


def _key() -> str:
    own = [Path(__file__), *sorted(FILES.iterdir())]
    return cache.key(rootfs.key(), *own)


def _make(place: Path) -> None:
    work = place / "work"
    rootfs.build((FILES / "make.sh").read_text(), work, timeout=600)
    shutil.copy(FILES / "Makefile", work / "v0")
    page = work / "v0/frontend"
    page.mkdir()
    (page / "package.json").write_text(json.dumps(PAGE, indent=2))
    (page / "index.html").write_text(HTML)
    for name, tree in ((V0, work / "v0"), (CANVAS, work / "canvas")):
        note = f"STAND-IN of the fleethands lab, not upstream's repository: made of {ORIGINS[name]}.\n"
        (tree / "LAB.txt").write_text(note)
        (tree / ".gitignore").write_text("node_modules\n.venv\nconfig.toml\n/frontend/build\n")
        run("git", "init", "--quiet", "--initial-branch", "main", tree)
        _committed(tree, "Stand-in made of packages")
        _git(tree, "tag", TAGS[name])
        run("git", "clone", "--quiet", "--bare", tree, place / f"{name}.git")
        run("git", "-C", place / f"{name}.git", "remote", "remove", "origin")
    for left in (work, work.with_name("work.build"), work.with_name("work.log")):
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def _committed(tree: Path, subject: str) -> str:
    _git(tree, "add", "--all", "--force", ".")
    _git(tree, "-c", "user.name=lab", "-c", "user.email=lab@lab", "commit", "--quiet", "--message", subject)
    return _git(tree, "rev-parse", "HEAD")


def _git(place: Path, *words: str | Path) -> str:
    return run("git", "-C", place, *words).stdout.strip()
