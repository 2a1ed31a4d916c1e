"""The way from a service to a container and back, by the functions of scripts/openhands.sh in a place of their own."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

BEFORE = {"openhands.service": "unit 1\n", "openhands.env": "KEY=1\n", "config.toml": "model = 1\n"}
UNPROVEN = {"openhands.service": "unit 2\n", "openhands.env": "KEY=2\n", "config.toml": "model = 2\n"}


def ran(place: Path, *calls: str) -> None:
    """Calls of the part that keeps services; `systemctl` is a stand-in that only notes its words."""
    text = files("fleethands.operations").joinpath("scripts/openhands.sh").read_text()
    part = text[text.index("service_unit=") : text.index("# openhands_back NAME")]
    for path in ("/etc/systemd/system", "/var/lib/fleethands", "/etc/fleethands", "/opt/openhands-source"):
        assert path in part
        part = part.replace(path, str(place))
    head = 'set -eu\nsystemctl() { echo "$*" >>"$place/systemctl"; }\n'
    lines = "\n".join([f"place={place}", head, part, *calls])
    subprocess.run(["sh", "-c", lines], check=True, timeout=30)


def written(place: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (place / name).write_text(text)


def there(place: Path) -> dict[str, str]:
    return {name: (place / name).read_text() for name in BEFORE if (place / name).exists()}


def test_all_that_a_service_reads_comes_back_with_its_unit(tmp_path: Path) -> None:
    written(tmp_path, BEFORE)

    ran(tmp_path, "service_aside")
    assert "openhands.service" not in there(tmp_path)
    written(tmp_path, {name: text for name, text in UNPROVEN.items() if name != "openhands.service"})
    ran(tmp_path, "service_back")

    assert there(tmp_path) == BEFORE


def test_what_an_earlier_service_left_is_not_mixed_in(tmp_path: Path) -> None:
    """One that went with its own files, as a run that was killed left them; the one that gives way has no config."""
    written(tmp_path, {"openhands.service-before.env": "KEY=0\n", "openhands.service-before.toml": "model = 0\n"})
    service = {name: text for name, text in BEFORE.items() if name != "config.toml"}
    written(tmp_path, service)

    ran(tmp_path, "service_aside", "service_back")

    assert there(tmp_path) == service


@pytest.mark.parametrize("calls", [("service_aside",), ("service_aside", "service_aside")])
def test_a_service_that_was_never_proven_takes_no_proven_ones_place(tmp_path: Path, calls: tuple[str, ...]) -> None:
    written(tmp_path, BEFORE)
    ran(tmp_path, "service_kept")
    written(tmp_path, UNPROVEN)

    ran(tmp_path, *calls, "service_back")

    assert there(tmp_path) == BEFORE


def test_without_a_service_what_was_built_stays_until_another_is(tmp_path: Path) -> None:
    """A container took the place of the service, and is proven: only what no link leads to goes."""
    for name in ("1.16.0.aaaaaa", "1.16.0.bbbbbb"):
        (tmp_path / name).mkdir()
    (tmp_path / "1.16.0").symlink_to(tmp_path / "1.16.0.aaaaaa")

    ran(tmp_path, "source_settled")

    assert sorted(each.name for each in tmp_path.iterdir()) == ["1.16.0", "1.16.0.aaaaaa"]
