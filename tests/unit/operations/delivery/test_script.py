"""deliver.sh by itself: cut streams, and files of this machine with odd names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.delivering import Delivery, digest_of

PART = os.urandom(3_000_000)


def test_a_cut_upload_sends_only_the_rest(tmp_path: Path) -> None:
    first, second = Delivery(tmp_path, [PART], cut=2_000_000), Delivery(tmp_path, [PART])

    assert first.run() == 1
    assert any("the connection ended before all of model codellama:7b had arrived" in line for line in first.said)
    assert first.part(PART, ".part").stat().st_size == 2_000_000
    assert not first.work.exists()

    assert second.run() == 0, second.said
    assert (second.asked, second.sent) == ([(digest_of(PART), 2_000_000)], 1_000_000)
    assert second.part(PART).read_bytes() == PART
    assert Delivery(tmp_path, [PART]).run() == 0


def test_a_full_disk_ends_the_script_and_keeps_its_files_away(tmp_path: Path) -> None:
    done = Delivery(tmp_path, [PART], extra="df() { printf 'Filesystem\\n/dev/x 9 9 100 9 /\\n'; }\n")

    assert done.run() == 1
    assert (done.sent, done.work.exists()) == (0, False)


@pytest.mark.parametrize(
    "name", ["my disk.bundle", "it's.bundle", 'a"b.bundle', "a\\nb\\c.bundle", "$(id) *;.bundle", "ü"]
)
def test_a_file_of_this_machine_may_have_an_odd_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(b"header" + PART + b"end")
    row = f"{digest_of(PART)} {len(PART)} model codellama:7b - 6 {file}"
    done = Delivery(tmp_path, [PART], values={"rows": row})

    assert done.run() == 0, done.said
    assert done.part(PART).read_bytes() == PART


def test_a_part_whose_last_byte_had_arrived_is_used(tmp_path: Path) -> None:
    """Nothing is left to copy, so what reports the progress has to stop before it has begun."""
    done = Delivery(tmp_path, [PART])
    done.store.mkdir(parents=True)
    done.part(PART, ".part").write_bytes(PART)

    assert done.start().finish(timeout=20) == 0, done.said
    assert (done.part(PART).read_bytes() == PART, done.asked) == (True, [])


def test_a_file_that_cannot_be_read_is_named_in_a_command_that_works(tmp_path: Path) -> None:
    row = f"{digest_of(PART)} {len(PART)} model codellama:7b - 6 {tmp_path}/it's gone.bundle"
    extra = 'fail() { echo "error: $1"; shift; printf \'hint: %s\\n\' "$@"; exit 1; }\n'
    done = Delivery(tmp_path, [PART], values={"rows": row}, extra=extra)

    assert done.run() == 1
    assert f"error: cannot read {tmp_path}/it's gone.bundle" in done.said
    assert f"hint: on the host: ls -l '{tmp_path}/it'\\''s gone.bundle'; dmesg | tail" in done.said
