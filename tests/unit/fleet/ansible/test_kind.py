"""Which files are inventories of Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands.fleet.ansible.kind import ansible_file


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("hosts", "[gpu]\na\n", True),
        ("prod.hosts", "# own\n\n[gpu:children]\n", True),
        ("hosts", "---\nall:\n", True),
        ("hosts", "gpu = [\n    ['a'],\n]\n", False),
        ("hosts", "gpu = ['a']\n", False),
        ("h.py", "[gpu]\n", False),
        ("h.ini", "", True),
        ("h.toml", "", True),
        ("hosts", "\xff", False),
    ],
)
def test_a_file_is_known_by_its_ending_or_its_sections(tmp_path: Path, name: str, text: str, is_one: bool) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))

    assert ansible_file(str(tmp_path / name)) == (tmp_path / name if is_one else None)
    assert ansible_file(f"@ansible/{tmp_path / name}") == tmp_path / name
    assert ansible_file("root@box") is None
