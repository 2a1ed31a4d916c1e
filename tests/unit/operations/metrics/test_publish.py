"""What root does with the collected metrics: it follows no link, and writes only in directories of root's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleethands.operations.metrics import programs
from tests.unit.operations.metrics.collector import read_samples, value

METRICS = "# HELP a_b words\n# TYPE a_b gauge\na_b 1\n"


class Publisher:
    """A host on which the metrics were collected."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.collected, self.own, self.textfile = place / "collected", place / "own", place / "textfile"
        self.collected.write_text(METRICS)
        self.textfile.mkdir(mode=0o755)

    def publish(self, textfile: Path | str = "") -> subprocess.CompletedProcess[str]:
        """Run the program as root does."""
        program = self.place / "publish.pl"
        program.write_text(programs.publish())
        environment = {
            "collected": self.collected, "sentinel": self.place / "sentinel", "own": self.own, "textfile": textfile,
        }  # fmt: skip
        values = {"PATH": os.environ["PATH"], **{name: str(each) for name, each in environment.items()}}
        command = ["perl", "-W", str(program)]
        if os.geteuid() != 0:
            command = ["unshare", "--map-root-user", *command]
        return subprocess.run(command, env=values, capture_output=True, text=True, check=False)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def test_the_metrics_are_published_to_both_places(publisher: Publisher) -> None:
    done = publisher.publish(publisher.textfile)

    assert (done.returncode, done.stderr) == (0, "")
    for directory in (publisher.own, publisher.textfile):
        assert [path.name for path in directory.iterdir()] == ["fleethands.prom"]
        file = directory / "fleethands.prom"
        assert (file.read_text(), file.stat().st_mode & 0o777) == (METRICS, 0o644)


def test_a_directory_that_is_a_link_or_open_to_others_is_left_alone(publisher: Publisher) -> None:
    link = publisher.place / "link"
    link.symlink_to(publisher.textfile)
    assert "leads to another directory" in publisher.publish(link).stderr

    publisher.textfile.chmod(0o775)
    done = publisher.publish(publisher.textfile)
    assert "others can write in it" in done.stderr
    assert done.returncode == 1
    assert [*publisher.textfile.iterdir()] == []
    assert (publisher.own / "fleethands.prom").read_text() == METRICS


@pytest.mark.parametrize("kind", ["symlink", "hard link", "pipe", "directory", "large"])
def test_only_a_file_of_the_collector_is_read(publisher: Publisher, kind: str) -> None:
    secret = publisher.place / "secret"
    secret.write_text("secret")
    publisher.collected.unlink()
    if kind == "symlink":
        publisher.collected.symlink_to(secret)
    elif kind == "hard link":
        publisher.collected.hardlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(publisher.collected)
    elif kind == "directory":
        publisher.collected.mkdir()
    else:
        publisher.collected.write_bytes(b"a" * (9 << 20))

    done = publisher.publish(publisher.textfile)

    assert "cannot be read" in done.stderr
    assert done.returncode != 0
    assert [*publisher.textfile.iterdir()] == []


def test_the_state_of_the_sentinel_is_added(publisher: Publisher) -> None:
    sentinel = publisher.place / "sentinel"
    for verdict, number in (("ok", 1), ("broken", 0)):
        sentinel.write_text(f"1\n{verdict}\n2026-11-25T17:02:11Z\n2026-11-25T17:02:11Z\nlink\nwhy\nhint\n3\n")
        publisher.publish()
        text = (publisher.own / "fleethands.prom").read_text()
        found = read_samples(text)
        assert value(found, "fleethands_sentinel_ok") == number
        assert value(found, "fleethands_sentinel_time_seconds") == 1795626131
        for name in ("fleethands_sentinel_ok", "fleethands_sentinel_time_seconds"):
            kind, words = programs.families()[name]
            assert f"# HELP {name} {words}\n# TYPE {name} {kind}\n" in text


@pytest.mark.parametrize("state", ["", "2\nok\n2026-11-25T17:02:11Z\n", "1\nx\n", "1\nok\nyesterday\n", "1\nok\n", "1"])
def test_another_state_adds_nothing(publisher: Publisher, state: str) -> None:
    (publisher.place / "sentinel").write_text(state)

    assert publisher.publish().stderr == ""
    assert (publisher.own / "fleethands.prom").read_text() == METRICS
