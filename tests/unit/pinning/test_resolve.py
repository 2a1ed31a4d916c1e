"""`fleethands pin` resolves each name of the fleet, and writes nothing if one has no answer."""

from __future__ import annotations

from pathlib import Path

from fleethands.pinning import resolve
from fleethands.settings import read_fleet
from fleethands.settings.lockfile import Lockfile
from tests.helpers.command_line import fleethands
from tests.helpers.pins import ARCHIVE, DIGEST, HOST_DATA, IMAGE, OTHER_DIGEST


def test_a_mirror_that_has_something_else_is_no_answer(tmp_path: Path) -> None:
    urls = []
    for name, digest in (("one", DIGEST), ("two", OTHER_DIGEST)):
        home = tmp_path / name / "v0.24.0"
        home.mkdir(parents=True)
        (home / "sha256sum.txt").write_text(f"{digest}  ./{ARCHIVE}\n{DIGEST}  ./Ollama.dmg\n")
        urls.append(f"file://{tmp_path}/{name}")
    fleet = {url: {**HOST_DATA, "models": [], "openhands_flavor": "off", "ollama_url": url} for url in urls}
    hosts = read_fleet({url: {**data, "ollama_transfer": "controller"} for url, data in fleet.items()}, Lockfile())

    one = resolve.resolve_pins(resolve.PinnableFleet.from_settings([hosts[urls[0]]]))
    both = resolve.resolve_pins(resolve.PinnableFleet.from_settings(hosts.values()))
    on_hosts = resolve.resolve_pins(resolve.PinnableFleet.from_settings(read_fleet(fleet, Lockfile()).values()))

    assert (one.document.ollama, one.unanswered) == ({"0.24.0": {ARCHIVE: DIGEST}}, {})
    assert both.unanswered == {"Ollama 0.24.0": f"{urls[0]} and {urls[1]} have different checksums for {ARCHIVE}"}
    assert "set `ollama_sha256`" in on_hosts.unanswered["Ollama 0.24.0"]


def test_nothing_is_written_unless_all_is_answered(tmp_path: Path) -> None:
    data = [
        "--data",
        'models=["127.0.0.1:1/a/m"]',
        "--data",
        "ollama_url=http://127.0.0.1:1",
        "--data",
        f"openhands_image={IMAGE}@sha256:{DIGEST}",
    ]

    done = fleethands("pin", "root@192.0.2.1", *data, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "error: Ollama 0.32.15: 127.0.0.1: [Errno 111] Connection refused" in done.stderr
    assert "error: 127.0.0.1:1/a/m:latest: 127.0.0.1: [Errno 111] Connection refused" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_only_names_that_the_fleet_has(tmp_path: Path) -> None:
    done = fleethands(
        "pin", "root@192.0.2.1", "--data", 'models=["codellama:7b"]', "--only", "codelama:7b", cwd=tmp_path
    )

    assert done.returncode == 64
    error = "error: `codelama:7b` is not a version, model or image of this fleet"
    assert done.stderr == f"{error}\n\nhint: there is: `--only codellama:7b`\n"
