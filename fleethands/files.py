"""Files on the controller."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

PRIVATE, READABLE, DEFAULT = 0o600, 0o644, 0o666


def atomic_write(path: Path, content: bytes | Iterable[bytes], mode: int = DEFAULT) -> None:
    """
    Replace a file in one step, so that no reader ever sees half of it. A symlink is replaced, not followed.

    + path: in a directory that exists
    + content: as a whole, or in parts
    + mode: permissions, from which the umask is subtracted, like in open()

    Raises OSError with the file's name, and leaves the file unchanged.

    >>> atomic_write(Path("report.json"), b"{}")  # doctest: +SKIP
    """
    _write_and_place(path, content, mode, os.replace)


def create_file(path: Path, content: bytes, mode: int = DEFAULT) -> None:
    """
    Write a new file in one step, like atomic_write. A file that exists is never replaced, nor is a symlink.

    Raises FileExistsError, and OSError with the file's name.

    >>> create_file(Path("authority.pem"), b"...", PRIVATE)  # doctest: +SKIP
    """
    _write_and_place(path, content, mode, _link)


def _write_and_place(
    path: Path, content: bytes | Iterable[bytes], mode: int, place: Callable[[str, Path], None]
) -> None:
    work = None
    try:
        descriptor, work = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fchmod(file.fileno(), mode & ~_umask())
            os.fsync(file.fileno())
        place(work, path)
    except BaseException as error:
        if work:
            Path(work).unlink(missing_ok=True)
        if isinstance(error, OSError):  # a full disk is an error that names no file
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def _link(work: str, path: Path) -> None:
    """Give a file its name, unless another file has it. No rename of Python refuses to replace a file."""
    os.link(work, path)
    Path(work).unlink()


def _umask() -> int:
    mask = os.umask(0o077)  # no file of another thread is created with more permissions meanwhile
    os.umask(mask)
    return mask
