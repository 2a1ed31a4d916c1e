"""The list of kept parts: what is on it stays, whatever removes parts, until a newer version takes its place."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from fleethands.operations.core import scripts
from fleethands.script import Script
from tests.helpers.part_server import Site, serving
from tests.unit.operations.artifacts.unit_run import digest, run_unit

OLD, NEW, BASE, ARCHIVE = b"old layer", b"new layer", b"base layer", b"archive"
LIBRARY = """set -eu
fail() { printf 'error: %s\\n' "$1" >&2; exit 1; }
atomic_file() { cat >"$1.new" && mv "$1.new" "$1"; }
"""


class Store:
    """The directory of parts of a host."""

    def __init__(self, place: Path) -> None:
        self.place, self.share = place / "state/artifacts", place / "share"
        self.place.mkdir(parents=True)

    def add(self, *contents: bytes) -> None:
        for each in contents:
            self.file(each).write_bytes(each)

    def file(self, content: bytes) -> Path:
        return self.place / digest(content).replace(":", "-")

    @property
    def rows(self) -> list[str]:
        kept = self.place / "kept"
        return sorted(kept.read_text().splitlines()) if kept.exists() else []

    def has(self, *contents: bytes) -> list[bool]:
        return [self.file(each).exists() for each in contents]

    def run(self, *names: str, end: str = "", given: str = "", **values: str) -> None:
        body = LIBRARY + scripts.join("part_store", *names) + end
        text = Script(body, {"store": str(self.place), "share": str(self.share), **values}, talks=True).text
        subprocess.run(["sh", "-c", text], input=given.encode(), timeout=60, check=True)

    def keep(self, artifact: str, *contents: bytes, keeps: str = "yes") -> None:
        given = "".join(f"{digest(each)} 9 http://x/y\n" for each in contents)
        self.run("keep_parts", end=f"keep_parts {artifact}\n", given=given, keeps_parts=keeps)

    def remove(self, *spare: str) -> None:
        self.run("remove_kept", spare="\n".join(spare))


def row(artifact: str, content: bytes) -> str:
    return f"{artifact} {digest(content)}"


def test_a_newer_version_takes_the_place_of_the_older_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(OLD, NEW, BASE, ARCHIVE)
    store.keep("release ollama", ARCHIVE)
    store.keep("image team/app", OLD, BASE)

    store.keep("image team/app", NEW, BASE)

    expected = [row("image team/app", NEW), row("image team/app", BASE), row("release ollama", ARCHIVE)]
    assert store.rows == sorted(expected)
    assert store.has(OLD, NEW, BASE, ARCHIVE) == [False, True, True, True]


def test_a_part_of_two_images_stays_until_neither_has_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(OLD, BASE, NEW)
    store.keep("image team/app", OLD, BASE)
    store.keep("image team/sandbox", BASE)

    store.keep("image team/app", NEW)
    assert store.has(OLD, BASE, NEW) == [False, True, True]
    store.keep("image team/sandbox")
    assert store.has(BASE, NEW) == [False, True]


def test_an_image_without_all_of_its_parts_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(NEW)

    store.keep("image team/app", NEW, BASE)

    assert (store.rows, store.has(NEW)) == ([], [False])


def test_a_host_that_keeps_nothing_has_no_list(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(NEW)
    store.keep("image team/app", NEW, keeps="no")
    assert list(store.place.iterdir()) == []

    store.add(OLD, NEW)
    store.keep("image team/app", OLD)
    store.keep("image team/app", NEW, keeps="no")
    assert list(store.place.iterdir()) == []


def test_old_parts_are_removed_unless_they_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(OLD, BASE)
    store.keep("image team/app", BASE)
    growing = store.place / f"{store.file(BASE).name}.part"
    growing.write_bytes(b"")
    for each in store.place.iterdir():
        os.utime(each, (time.time() - 8 * 86400,) * 2)

    store.run(end="drop_old_parts\n")

    assert store.has(OLD, BASE) == [False, True]
    assert not growing.exists()
    assert store.rows == [row("image team/app", BASE)]


def test_a_kept_part_that_its_disk_damaged_is_fetched_again(tmp_path: Path) -> None:
    store, site = Store(tmp_path), Site({"/a.tgz": ARCHIVE})
    store.add(ARCHIVE)
    store.keep("release ollama", ARCHIVE)
    store.file(ARCHIVE).write_bytes(b"damaged")

    with serving(site):
        done = run_unit(tmp_path, ("fetch_release",), f"{len(ARCHIVE)}\n{digest(ARCHIVE)} - {site.url}/a.tgz")

    assert done.outcome == ""
    assert store.file(ARCHIVE).read_bytes() == ARCHIVE


def test_what_is_kept_is_removed_except_what_a_host_still_wants(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(OLD, BASE, ARCHIVE)
    store.keep("image team/app", OLD, BASE)
    store.keep("image team/sandbox", BASE)
    store.keep("release ollama", ARCHIVE)

    store.remove("image team/sandbox", "release ollama")
    assert store.rows == [row("image team/sandbox", BASE), row("release ollama", ARCHIVE)]
    assert store.has(OLD, BASE, ARCHIVE) == [False, True, True]
    store.remove()
    assert list(store.place.iterdir()) == []


def test_a_removal_while_neighbors_may_want_the_part_is_left_to_the_relay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(BASE)
    store.keep("image team/app", BASE)
    (store.share / "kept").mkdir(parents=True)
    (store.share / "neighbors").write_text("token x\n")

    store.remove()

    assert (store.rows, store.has(BASE)) == ([], [True])
    assert [each.name for each in (store.share / "kept").iterdir()] == [digest(BASE).removeprefix("sha256:")]


def test_the_end_of_a_relay_removes_only_what_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(OLD, BASE)
    store.keep("image team/app", BASE)
    (store.share / "kept").mkdir(parents=True)
    for each in (OLD, BASE):
        (store.share / "kept" / digest(each).removeprefix("sha256:")).touch()
        (store.place / f"{store.file(each).name}.pieces").touch()

    _end_relay(store, tmp_path)

    assert store.has(OLD, BASE) == [False, True]
    assert sorted(path.name for path in store.place.iterdir()) == ["kept", store.file(BASE).name]
    assert not store.share.exists()


def _end_relay(store: Store, tmp_path: Path) -> None:
    """Run the clean-up of the relay as its unit does."""
    source = scripts.read("start_relay")
    found = re.search(r"^clean_up='(.*?)'\n", source, re.MULTILINE | re.DOTALL)
    options = re.search(r'"ExecStopPost=(.*)"', source)
    assert found is not None
    assert options is not None
    words = options[1].replace("$share", "").replace("$parts", "")
    assert "$" not in words  # after a daemon-reload it would be another one
    program = store.share / "clean_up.sh"
    program.write_text(found[1].replace("/run/fleethands/share", str(store.share)))
    for name in ("systemctl", "nft"):  # those of this machine are left alone
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["sh", str(program), str(store.place)], check=True, env={"PATH": path}, timeout=60)
