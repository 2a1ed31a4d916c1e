"""Files on the controller are replaced in one step, with the permissions that were asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fleethands.files import DEFAULT, PRIVATE, READABLE, atomic_write, create_file


@pytest.mark.parametrize(
    ("mode", "umask", "expected"),
    [(PRIVATE, 0, 0o600), (READABLE, 0, 0o644), (READABLE, 0o077, 0o600), (DEFAULT, 0o022, 0o644), (DEFAULT, 0, 0o666)],
)
def test_the_umask_is_subtracted_from_the_permissions(tmp_path: Path, mode: int, umask: int, expected: int) -> None:
    before = os.umask(umask)
    try:
        atomic_write(tmp_path / "file", b"text", mode)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == expected
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_is_full_leaves_the_file_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(OSError, match="No space left on device") as error:
        atomic_write(tmp_path / "file", b"after")
    assert error.value.filename == str(tmp_path / "file")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["before"]


def test_a_new_file_has_its_content_and_its_permissions(tmp_path: Path) -> None:
    create_file(tmp_path / "file", b"text", PRIVATE)

    (created,) = tmp_path.iterdir()
    assert (created.name, created.read_bytes(), stat.S_IMODE(created.stat().st_mode)) == ("file", b"text", 0o600)
    assert created.stat().st_nlink == 1


@pytest.mark.parametrize("kind", ["file", "directory", "symlink"])
def test_a_new_file_never_replaces_what_has_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "file":
        path.write_text("before")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere")

    with pytest.raises(FileExistsError) as error:
        create_file(path, b"after")

    assert error.value.filename == str(path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert kind != "file" or path.read_text() == "before"
    assert kind != "symlink" or path.is_symlink()


def test_a_disk_that_is_full_leaves_no_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(OSError, match="No space left on device") as error:
        create_file(tmp_path / "file", b"text")
    assert error.value.filename == str(tmp_path / "file")
    assert [*tmp_path.iterdir()] == []
