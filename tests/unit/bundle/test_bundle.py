"""A bundle is a tar file that every tar reads, and a changed byte anywhere in it is found."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from fleethands.bundle import tar
from fleethands.bundle.bundle import Bundle, part_name
from fleethands.bundle.errors import BundleError
from fleethands.bundle.index import PackedPart
from fleethands.bundle.write import write_bundle
from tests.helpers.bundles import CONTENTS, digest_of, index_of
from tests.unit.bundle.conftest import Write


def test_a_bundle_is_read_as_it_was_written(write: Write) -> None:
    bundle = write()

    assert bundle.index == index_of(CONTENTS)
    assert [b"".join(bundle.read(part)) for part in bundle.index.packed] == list(CONTENTS)
    assert b"".join(bundle.read(bundle.index.packed[1], 3)) == CONTENTS[1][3:]
    bundle.verify()


def test_two_tars_read_it_too(write: Write, tmp_path: Path) -> None:
    bundle = write()

    with tarfile.open(bundle.path) as file:
        names = file.getnames()
    work = tmp_path / "unpacked"
    work.mkdir()
    subprocess.run(["tar", "-xf", bundle.path, "-C", work], check=True)
    subprocess.run(["sha256sum", "--check", "--quiet", "index.sha256"], cwd=work, check=True)

    assert names[:2] == ["index.json", "index.sha256"]
    assert (work / "parts" / part_name(digest_of(CONTENTS[1]))).read_bytes() == CONTENTS[1]


@pytest.mark.parametrize("size", [0, 1, tar.MOST_OCTAL, tar.MOST_OCTAL + 1, 1 << 40])
def test_a_header_says_the_size_to_every_reader(size: int) -> None:
    file = io.BytesIO(tar.header("parts/x", size))

    with tarfile.open(fileobj=file, mode="r:", ignore_zeros=True) as opened:
        info = opened.next()

    assert info is not None
    assert (info.name, info.size, info.isreg()) == ("parts/x", size, True)


def test_each_changed_byte_is_found(write: Write) -> None:
    """Contents and headers. Only the padding behind a part, and the end of the file, have no meaning."""
    bundle = write((b"one", b"two"))
    whole = bundle.path.read_bytes()
    sizes = (len(bundle.index.text), 77, 3, 3)
    meaningless, place = set(range(len(whole) - len(tar.END), len(whole))), 0
    for size in sizes:
        place += tar.BLOCK + size + tar.padding(size)
        meaningless |= set(range(place - tar.padding(size), place))

    for place in range(0, len(whole), 23):
        bundle.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        if place in meaningless:
            Bundle.open(bundle.path).verify()
            continue
        with pytest.raises(BundleError):
            Bundle.open(bundle.path).verify()


@pytest.mark.parametrize("size", [0, 100, 512, 700, -1024, -1])
def test_a_truncated_bundle_is_refused_by_name(size: int, write: Write) -> None:
    bundle = write()
    whole = bundle.path.read_bytes()
    bundle.path.write_bytes(whole[:size])

    with pytest.raises(BundleError, match=r"fleet\.bundle is (truncated|not a bundle)"):
        Bundle.open(bundle.path)


def test_bytes_behind_the_end_are_refused(write: Write) -> None:
    bundle = write()
    bundle.path.write_bytes(bundle.path.read_bytes() + b"x")

    with pytest.raises(BundleError, match="1 bytes behind its end"):
        Bundle.open(bundle.path)


def test_a_damaged_part_is_named_with_its_artifact(write: Write) -> None:
    bundle = write()
    content = bundle.path.read_bytes().replace(b"weightsweights", b"weightsWeights", 1)
    bundle.path.write_bytes(content)

    with pytest.raises(BundleError, match=r"fleet\.bundle is damaged: sha256:.* of model codellama:7b"):
        Bundle.open(bundle.path).verify()


def test_a_missing_file_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot read") as caught:
        Bundle.open(tmp_path / "none")

    assert caught.value.hints


def test_two_commands_do_not_write_the_same_file(write: Write, tmp_path: Path) -> None:
    write()
    (tmp_path / "fleet.bundle.partial").write_bytes(b"the other command's")

    with pytest.raises(BundleError, match=r"fleet\.bundle\.partial exists"):
        write()

    assert (tmp_path / "fleet.bundle.partial").read_bytes() == b"the other command's"


def test_nothing_is_left_of_a_write_that_failed(write: Write, tmp_path: Path) -> None:
    before = write().path.read_bytes()
    changed = tmp_path / "changed"
    changed.write_bytes(b"other bytes")

    with pytest.raises(BundleError, match="changed on the disk"):
        write_bundle(tmp_path / "fleet.bundle", index_of(CONTENTS), lambda _: changed)

    assert (tmp_path / "fleet.bundle").read_bytes() == before
    assert not (tmp_path / "fleet.bundle.partial").exists()


def test_a_delta_has_only_the_new_parts(write: Write) -> None:
    old = write()
    new = write((*CONTENTS, b"new"), name="new.bundle", since=old.index.digest, absent=CONTENTS)

    assert [part.size for part in new.index.packed] == [3]
    assert new.index.since == old.index.digest
    assert new.index.part[digest_of(CONTENTS[1])] == PackedPart(digest_of(CONTENTS[1]), len(CONTENTS[1]), False)
    new.verify()
