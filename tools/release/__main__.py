"""`make release`: `python -m tools.release [CHECKOUT]` writes the files of a release to CHECKOUT/dist."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from fleethands.errors import FleethandsError
from tools.release.build import build, write_checksums
from tools.release.checks import check
from tools.release.commit import Commit
from tools.release.materials import write_materials

HERE = Path(__file__).parents[2]


def main() -> int:
    """0 if the release is in `dist`, 1 with a message if there is none. Then `dist` is as before."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE
    try:
        commit, files = release(root, root / "dist")
    except FleethandsError as error:
        print(f"error: {error}", *(f"hint: {hint}" for hint in error.hints), sep="\n", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: cannot write the release: {error.strerror}: `{error.filename}`", file=sys.stderr)
        print(f"hint: move it away, or make it writable: `ls -ld {root / 'dist'}`", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: `dist` is as before", file=sys.stderr)
        return 130
    print(f"fleethands {commit.version}, from commit {commit.name[:12]}:", *(f"  {file}" for file in files), sep="\n")
    print(f"\nTag it: git tag -a v{commit.version} -m 'fleethands {commit.version}' {commit.name[:12]}")
    return 0


def release(root: Path, dist: Path) -> tuple[Commit, list[Path]]:
    """
    Build and check a release, and put it into `dist` when everything is right.

    Raises FleethandsError if the commit can't be released or a check fails, OSError if `dist` can't be written.
    """
    commit = Commit.read(root)
    with tempfile.TemporaryDirectory(prefix="fleethands-release-") as directory:
        work = Path(directory)
        files = build(commit, work)
        check(commit, files)
        files.append(write_materials(commit, work))
        files.append(write_checksums(files, work))
        return commit, _place(files, dist)


def _place(files: list[Path], dist: Path) -> list[Path]:
    """Replace the previous release in `dist`. Its files stay until all new ones are copied."""
    dist.mkdir(exist_ok=True)
    for file in files:
        shutil.copyfile(file, dist / f".{file.name}.part")
    for old in (*dist.glob("fleethands-*"), *dist.glob("SHA256SUMS")):
        old.unlink()
    return [(dist / f".{file.name}.part").rename(dist / file.name) for file in files]


if __name__ == "__main__":
    sys.exit(main())
