"""The unit that fetches parts, run here against a server that cuts, refuses and sends wrong bytes."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.helpers.part_server import Site, serving
from tests.unit.operations.artifacts.unit_run import Ended, digest, run_unit

ARCHIVE = random.Random(1).randbytes(300_000)
PATH = "/v0.24.0/ollama.tgz"


def fetch(tmp_path: Path, site: Site, content: bytes = ARCHIVE, size: str = "-", **values: str) -> Ended:
    with serving(site):
        row = f"{digest(content)} {size} {site.url}{PATH}"
        return run_unit(tmp_path, ("fetch_release",), f"{len(ARCHIVE)}\n{row}", **values)


def grow(tmp_path: Path, begin: bytes, content: bytes = ARCHIVE) -> Path:
    """A part of which an earlier unit has downloaded the beginning."""
    store = tmp_path / "state" / "artifacts"
    store.mkdir(parents=True)
    part = store / f"{digest(content).replace(':', '-')}.part"
    part.write_bytes(begin)
    return part


def test_a_part_has_its_bytes_and_its_name(tmp_path: Path) -> None:
    site = Site({PATH: ARCHIVE})

    done = fetch(tmp_path, site)

    assert (done.outcome, done.done) == ("", True)
    assert done.part(ARCHIVE).read_bytes() == ARCHIVE
    assert done.store.stat().st_mode & 0o777 == 0o700
    assert f"progress: release 0.24.0 {len(ARCHIVE)}/{len(ARCHIVE)} bytes" in done.said
    assert [path.name for path in done.store.iterdir()] == [done.part(ARCHIVE).name]


def test_a_part_that_is_complete_is_not_downloaded(tmp_path: Path) -> None:
    site = Site({PATH: ARCHIVE})
    fetch(tmp_path, site)
    site.asked.clear()

    assert fetch(tmp_path, site).done
    assert site.asked == []


def test_a_growing_part_is_resumed(tmp_path: Path) -> None:
    grow(tmp_path, ARCHIVE[:200_000])
    site = Site({PATH: ARCHIVE})

    done = fetch(tmp_path, site)

    assert done.part(ARCHIVE).read_bytes() == ARCHIVE
    assert site.sent == 100_000


def test_a_connection_that_is_cut_costs_no_byte_twice(tmp_path: Path) -> None:
    site = Site({PATH: ARCHIVE}, cut={PATH: 50_000})

    done = fetch(tmp_path, site)

    assert done.part(ARCHIVE).read_bytes() == ARCHIVE
    assert site.sent == len(ARCHIVE)
    assert len(site.asked) == 6


def test_a_server_that_cannot_resume_sends_all(tmp_path: Path) -> None:
    grow(tmp_path, ARCHIVE[:200_000])

    done = fetch(tmp_path, Site({PATH: ARCHIVE}, ranges=False))

    assert done.part(ARCHIVE).read_bytes() == ARCHIVE


@pytest.mark.parametrize(
    "begin", [ARCHIVE + b"more", b"x" * 1000, ARCHIVE[:-1] + b"?"], ids=["too long", "wrong", "complete, wrong"]
)
def test_a_growing_part_with_other_bytes_is_downloaded_again(begin: bytes, tmp_path: Path) -> None:
    grow(tmp_path, begin)

    done = fetch(tmp_path, Site({PATH: ARCHIVE}), size=str(len(ARCHIVE)))

    assert done.outcome == ""
    assert done.part(ARCHIVE).read_bytes() == ARCHIVE


def test_a_complete_part_of_unknown_size_that_only_lacks_its_name_is_kept(tmp_path: Path) -> None:
    grow(tmp_path, ARCHIVE)
    site = Site({PATH: ARCHIVE})

    assert fetch(tmp_path, site).part(ARCHIVE).read_bytes() == ARCHIVE
    assert site.sent == 0


def test_wrong_bytes_never_get_the_name_of_the_part(tmp_path: Path) -> None:
    wrong = b"?" + ARCHIVE[1:]

    done = fetch(tmp_path, Site({PATH: wrong}), size=str(len(ARCHIVE)))

    assert done.outcome.startswith("error: release 0.24.0: http://127.0.0.1:")
    assert f"has other bytes than its digest {digest(ARCHIVE)}" in done.outcome
    assert not done.done
    assert list(done.store.iterdir()) == []


def test_more_bytes_than_the_size_are_not_stored(tmp_path: Path) -> None:
    done = fetch(tmp_path, Site({PATH: ARCHIVE * 3}), size=str(len(ARCHIVE)))

    assert "more than the 1 MiB that it may have" in done.outcome or "other bytes" in done.outcome
    assert list(done.store.iterdir()) == []


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    assert fetch(tmp_path, Site({PATH: ARCHIVE}, statuses={PATH: [503, 429]})).part(ARCHIVE).exists()


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [([404], "has no http"), ([403], "refuses http"), ([500] * 3, "answers 500")],
)
def test_a_server_that_does_not_send_is_named(statuses: list[int], reason: str, tmp_path: Path) -> None:
    done = fetch(tmp_path, Site({PATH: ARCHIVE}, statuses={PATH: statuses}))

    assert reason in done.outcome.splitlines()[0]
    assert done.outcome.splitlines()[1].startswith("hint: ")
    assert not done.done


def test_a_redirect_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(ARCHIVE)

    done = fetch(tmp_path, Site({}, redirects={PATH: f"file://{tmp_path}/secret"}))

    assert not done.done
    assert list(done.store.iterdir()) == []


def test_a_password_of_the_address_is_on_no_command_line_and_in_no_message(tmp_path: Path) -> None:
    site = Site({})
    with serving(site):
        address = site.url.replace("//", "//me:hunter2@")
        done = run_unit(tmp_path, ("fetch_release",), f"-\n{digest(ARCHIVE)} - {address}{PATH}")

    assert site.asked[0][1]["Authorization"].startswith("Basic ")
    assert "it answers 404" in done.outcome
    assert "hunter2" not in done.outcome + done.said
    assert (done.place / "address").stat().st_mode & 0o777 == 0o600


def test_a_limit_is_kept(tmp_path: Path) -> None:
    content = bytes(16_000_000)  # curl lets the first five or so pass at once
    begin = time.monotonic()

    done = fetch(tmp_path, Site({PATH: content}), content, str(len(content)), limit="8000000")

    assert done.part(content).exists()
    assert 0.8 < time.monotonic() - begin < 4


def test_a_disk_that_is_full_ends_the_download(tmp_path: Path) -> None:
    content = bytes(16_000_000)

    done = fetch(tmp_path, Site({PATH: content}), content, str(len(content)), floor=str(1 << 60), limit="2000000")

    assert "MiB free" in done.outcome
    assert "hint: run again: what was downloaded is kept" in done.outcome
    assert not done.done


def test_a_part_without_bytes(tmp_path: Path) -> None:
    assert fetch(tmp_path, Site({PATH: b""}), b"", "0").part(b"").read_bytes() == b""


def test_a_server_that_refuses_the_range_of_a_complete_part_is_not_asked_again(tmp_path: Path) -> None:
    grow(tmp_path, ARCHIVE)
    site = Site({PATH: ARCHIVE}, statuses={PATH: [416]})

    assert fetch(tmp_path, site).part(ARCHIVE).read_bytes() == ARCHIVE
    assert site.paths() == [PATH]
