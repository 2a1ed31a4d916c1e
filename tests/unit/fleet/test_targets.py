"""Which inventory a command is for, and what is printed where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands.errors import UsageError
from fleethands.fleet.targets import resolve_target


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        ([], "contains none", "name an inventory file, or a host such as `root@box`"),
        (
            ["example.py"],
            "contains none of your own",
            "name an inventory: `inventory/example.py`, or a host such as `root@box`",
        ),
        (
            ["example.py", "a.py", "b.py"],
            "contains several",
            "name an inventory: `inventory/a.py`, `inventory/b.py`, or a host such as `root@box`",
        ),
    ],
)
def test_no_target_is_an_error_with_the_inventories_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], message: str, hint: str
) -> None:
    (tmp_path / "inventory").mkdir()
    for name in names:
        (tmp_path / "inventory" / name).write_text("")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError) as caught:
        resolve_target(None)

    assert str(caught.value) == f"no inventory is given, and inventory/ {message}"
    assert caught.value.hints == (hint,)
