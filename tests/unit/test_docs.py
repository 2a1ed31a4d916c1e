"""What the documents say is what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

from fleethands.cli.main import cli
from fleethands.settings import read_fleet
from fleethands.settings.reference import page

ROOT = Path(__file__).parents[2]


def test_the_reference_of_settings_is_current() -> None:
    assert (ROOT / "docs/settings.md").read_text() == page(), "run `make docs`"


def test_every_setting_says_what_it_is_for() -> None:
    assert "None |" not in page()


def test_the_example_inventories_are_right() -> None:
    for name in ("example", "local"):
        groups = runpy.run_path(str(ROOT / f"inventory/{name}.py"))
        hosts = groups["gpu"][0] if name == "example" else [host for host, _ in groups["local"]]
        data = groups["gpu"][1] if name == "example" else groups["local"][0][1]
        assert read_fleet(dict.fromkeys(hosts, data))


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/how-it-works.md").read_text()
    assert [name for name in cli.commands if f"| `fleethands {name} " not in text] == []
