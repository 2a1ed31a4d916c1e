"""Parts of a bundle over a real SSH connection, and from a disk: cut, damaged, present, and asked for by a liar."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleethands.bundle.bundle import part_name
from fleethands.bundle.index import BundleIndex, PackedArtifact, PackedPart
from fleethands.bundle.write import write_bundle
from tests.helpers.checkout import ROOT
from tests.helpers.executing import executing_hosts

BIG, SMALL = os.urandom(5_000_000), b"a manifest"
# in a process of its own, as a run is: gevent patches it whole
PROGRAM = """
import json, sys
from pathlib import Path
from fleethands.bundle.bundle_set import open_bundles
from fleethands.engine.engine import Engine
from fleethands.operations.delivery.deliver import _rows
from fleethands.operations.delivery.part_stream import PartStream
from fleethands.script import Script
from tests.helpers.delivering import delivery_body

bundles = open_bundles([f"{Path.cwd()}/fleet.bundle"])
artifacts = bundles.artifacts
digests = frozenset(digest for each in artifacts for digest in each.parts)
rows = "\\n".join(row for each in artifacts for row in _rows(each, bundles, LOCAL))
values = {"rows": rows, "images": "", "store": f"{Path.cwd()}/state/artifacts", "place": f"{Path.cwd()}/delivery"}
values |= {"what": "bundle parts", "floor": str(64 << 20), "share": f"{Path.cwd()}/share"}
body = delivery_body(EXTRA)
engine = Engine.load("fleet.py", Path.cwd(), {"openhands_flavor": "off", "models": ["codellama:7b"]})
engine.settings()
engine.connect()
host = engine.host("one")
script = Script(body, values, talks=not LOCAL)
command = script.command if LOCAL else PartStream(bundles, digests).command(script.text)
succeeded, output = command.execute(engine.state, host, {})
print(json.dumps([succeeded, output.output_lines]), flush=True)
"""


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Project:
    """A project with a bundle, and a host that stores its parts in `store`."""

    directory: Path

    @property
    def store(self) -> Path:
        return self.directory / "state/artifacts"

    @property
    def bundle(self) -> Path:
        return self.directory / "fleet.bundle"

    def part(self, content: bytes, end: str = "") -> Path:
        return self.store / f"{part_name(digest_of(content))}{end}"

    def deliver(self, *, local: bool = False, extra: str = "") -> tuple[bool, list[str]]:
        """Whether the delivery succeeded, and what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", f"LOCAL = {local}\nEXTRA = {extra!r}\n{PROGRAM}"],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(self.directory)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.stdout, done.stderr
        found: Any = json.loads(done.stdout)
        return found[0], found[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("the host of this test runs commands as root")
    directory = tmp_path_factory.mktemp("fleet")
    for content in (SMALL, BIG):
        (directory / part_name(digest_of(content))).write_bytes(content)
    digests = (digest_of(SMALL), digest_of(BIG))
    model = PackedArtifact("model", "codellama:7b", digests[0], digests)
    parts = tuple(PackedPart(digest_of(each), len(each)) for each in (SMALL, BIG))
    index = BundleIndex("2026-11-30T10:00:00Z", ("one",), (model,), parts)
    write_bundle(directory / "whole.bundle", index, lambda part: directory / part_name(part.digest))
    with executing_hosts(directory, one={}):
        yield directory


@pytest.fixture
def project(place: Path) -> Project:
    """The host has no parts, and the bundle is intact."""
    made = Project(place)
    subprocess.run(["rm", "-rf", made.store], check=True)
    subprocess.run(["cp", place / "whole.bundle", made.bundle], check=True)
    return made


@pytest.mark.parametrize("local", [False, True], ids=["over SSH", "from a disk"])
def test_a_host_gets_what_it_lacks(project: Project, local: bool) -> None:
    succeeded, said = project.deliver(local=local)

    assert succeeded, said
    assert project.part(BIG).read_bytes() == BIG
    assert project.part(SMALL).read_bytes() == SMALL
    assert {path.stat().st_mode & 0o777 for path in project.store.iterdir()} == {0o600}
    assert [path for path in project.store.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize("local", [False, True], ids=["over SSH", "from a disk"])
def test_a_cut_upload_continues_where_it_ended(project: Project, local: bool) -> None:
    project.store.mkdir(parents=True)
    project.part(BIG, ".part").write_bytes(BIG[:4_000_000])

    succeeded, said = project.deliver(local=local)

    assert succeeded, said
    assert local or f"deliver {digest_of(BIG)} 4000000" in said
    assert project.part(BIG).read_bytes() == BIG


def test_what_the_host_has_is_not_sent(project: Project) -> None:
    project.deliver()

    succeeded, said = project.deliver()

    assert (succeeded, said) == (True, [])


def test_a_kept_part_that_the_disk_has_damaged_is_sent_again(project: Project) -> None:
    project.deliver()
    (project.store / "kept").write_text(f"release ollama {digest_of(BIG)}\n")
    project.part(BIG).write_bytes(b"x" + BIG[1:])

    succeeded, said = project.deliver()

    assert succeeded, said
    assert project.part(BIG).read_bytes() == BIG


@pytest.mark.parametrize("local", [False, True], ids=["over SSH", "from a disk"])
def test_other_bytes_at_the_beginning_are_found_and_the_whole_part_is_sent(project: Project, local: bool) -> None:
    project.store.mkdir(parents=True)
    project.part(BIG, ".part").write_bytes(b"x" * 1000)

    succeeded, said = project.deliver(local=local)

    assert succeeded, said
    asked = [line.split()[2] for line in said if line.startswith(f"deliver {digest_of(BIG)}")]
    assert asked == ([] if local else ["1000", "0"])
    assert project.part(BIG).read_bytes() == BIG


def test_a_bundle_that_changes_meanwhile_brings_no_wrong_byte(project: Project) -> None:
    content = project.bundle.read_bytes()
    place = content.rindex(BIG[-1000:])
    project.bundle.write_bytes(content[:place] + b"x" * 1000 + content[place + 1000 :])

    succeeded, said = project.deliver()

    assert not succeeded
    assert any("arrived damaged" in line for line in said)
    assert not project.part(BIG).exists()


def test_a_header_that_was_changed_is_named_by_its_bundle(project: Project) -> None:
    content = project.bundle.read_bytes()
    name = f"parts/{part_name(digest_of(BIG))}".encode()
    project.bundle.write_bytes(content.replace(name, name[:-1] + b"z"))

    succeeded, said = project.deliver()

    assert not succeeded
    assert any(line.startswith("error: ") and "fleet.bundle is damaged" in line for line in said), said


def test_a_host_that_asks_for_other_parts_gets_nothing(project: Project) -> None:
    other = f"sha256:{'0' * 64}"
    got = project.directory / "got"
    asks = f"echo 'deliver {other} 0'; echo 'deliver ../../etc/passwd 0'; timeout 1 head -c 1 >{got} || true\n"

    project.deliver(extra=asks)

    assert got.read_bytes() == b""


def test_a_host_that_asks_for_a_part_again_and_again_gets_it_twice(project: Project) -> None:
    got = project.directory / "got"
    ask = f"echo 'deliver {digest_of(SMALL)} 0'; timeout 5 head -c {len(SMALL)} >>{got} || true\n"

    project.deliver(extra=f"{3 * ask}exit 0\n")

    assert got.read_bytes() == 2 * SMALL


def test_the_end_of_the_connection_keeps_what_has_arrived(project: Project) -> None:
    """As if the controller had died: the input ends in the middle."""
    succeeded, said = project.deliver(extra="head() { command head -c 3000000; }\n")

    assert not succeeded
    assert any("the connection ended before all of model codellama:7b had arrived" in line for line in said), said
    assert project.part(BIG, ".part").read_bytes() == BIG[:3_000_000]
    succeeded, said = project.deliver()
    assert succeeded, said
    assert f"deliver {digest_of(BIG)} 3000000" in said


def test_a_full_disk_is_named_before_anything_is_sent(project: Project) -> None:
    df = "df() { printf 'Filesystem\\n/dev/x 9 9 1024 9 /\\n'; }\n"

    succeeded, said = project.deliver(extra=df)

    assert not succeeded
    assert said[-1].startswith("error: the bundle needs 68 MiB")
    assert not any(line.startswith("deliver") for line in said)
