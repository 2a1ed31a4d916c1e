"""A bundle is compared with what a host lacks before anything changes, and the host asks no other source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands.bundle import tar
from fleethands.bundle.bundle import INDEX, PARTS, SUMS, Bundle, part_name, sums_text
from fleethands.bundle.index import BundleIndex, PackedArtifact, PackedPart
from fleethands.facts import Probe
from fleethands.facts.docker import Image
from fleethands.facts.ollama import Release
from fleethands.facts.probe_request import ProbeRequest
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.core.download_note import is_download
from fleethands.operations.delivery import deliver
from fleethands.operations.preflight import disk_space, preflight
from fleethands.operations.system import packages
from fleethands.settings import HostSettings, read_fleet
from fleethands.settings.lockfile import Lockfile, LockfileContents, ModelPin
from tests.hosts import bare

ARCHIVE = "ollama-linux-amd64.tar.zst"
MODEL = "codellama:7b"
IMAGE = "ghcr.io/all-hands-ai/openhands:main"
NAMES = ("ca-certificates", "curl", "nftables", "docker.io", "docker-cli", "zstd", "libc6")
Make = Callable[..., Path]


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def artifact(kind: Any, name: str, number: int, **values: str) -> PackedArtifact:
    return PackedArtifact(kind, name, digest(number), (digest(number),), **values)


WHOLE = (
    artifact("release", ARCHIVE, 1, version="0.24.0", arch="amd64"),
    artifact("model", MODEL, 2),
    artifact("image", IMAGE, 3, arch="amd64"),
    *(
        artifact("package", name, number, version="1.0", arch="amd64", suite="debian-13")
        for number, name in enumerate(NAMES, 10)
    ),
)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a bundle whose parts are empty, so that their digests are wrong. + packed: whether it has them"""

    def make(*artifacts: PackedArtifact, name: str = "fleet.bundle", packed: bool = True, size: int = 0) -> Path:
        digests = dict.fromkeys(each for one in artifacts for each in one.parts)
        parts = tuple(PackedPart(each, size, packed) for each in digests)
        index = BundleIndex("2026-11-30T10:00:00Z", ("host",), artifacts, parts)
        with (tmp_path / name).open("wb") as file:
            file.write(_file(index))
            file.truncate(Bundle(tmp_path / name, index).size)
        return tmp_path / name

    return make


def _file(index: BundleIndex) -> bytes:
    """The bytes of a bundle whose parts are empty."""
    members = [(INDEX, index.text), (SUMS, sums_text(index))]
    members += [(f"{PARTS}/{part_name(part.digest)}", b"") for part in index.packed]
    return b"".join(tar.header(name, len(content)) + tar.pad(content) for name, content in members) + tar.END


def settings(*bundles: Path, lock: Lockfile | None = None, **data: Any) -> HostSettings:
    host = {
        "models": [MODEL],
        "ollama_version": "0.24.0",
        "openhands_image": IMAGE,
        "fleethands_bundle": [str(each) for each in bundles],
        **data,
    }
    return read_fleet({"host": host}, lock or Lockfile())["host"]


def checked(wanted: HostSettings, probe: Probe | None = None) -> str:
    refused = deliver.check_bundle(wanted, probe or bare(wanted))
    return refused.reason.partition(" ")[2] if refused else ""


def without(*kinds: str) -> tuple[PackedArtifact, ...]:
    return tuple(each for each in WHOLE if each.kind not in kinds)


def test_a_bare_host_gets_everything(make: Make) -> None:
    wanted = settings(make(*WHOLE))

    decision = deliver.deliver.decide(wanted, bare(wanted))

    assert isinstance(decision, Change)
    assert decision.stream is not None
    rows = decision.script.values["rows"].splitlines()
    assert len(rows) == len(WHOLE)
    assert f"{digest(1)} 0 release {ARCHIVE} - - -" in rows
    assert f"{digest(10)} 0 package ca-certificates 1.0 - -" in rows
    assert checked(wanted) == ""


def test_this_machine_reads_the_file_itself(make: Make) -> None:
    path = make(*WHOLE)
    wanted = settings(path)

    decision = deliver.deliver.decide(wanted, bare(wanted), local=True)

    assert isinstance(decision, Change)
    assert decision.stream is None
    assert all(row.endswith(f" {path}") for row in decision.script.values["rows"].splitlines())


@pytest.mark.parametrize("name", ["a\nb.bundle", "blank ", "tab\t.bundle"])
def test_a_path_that_no_row_can_end_with_is_refused_in_one_line(name: str, make: Make) -> None:
    wanted = settings(make(*WHOLE, name=name))

    decision = deliver.deliver.decide(wanted, bare(wanted), local=True)

    assert isinstance(decision, Refused)
    assert decision.reason.endswith("the path of a bundle has to be one line without a blank at its end")
    assert decision.reason.isprintable()
    assert isinstance(deliver.deliver.decide(wanted, bare(wanted)), Change)


def consequence(name: str, path: Path) -> str:
    data = {"models": [MODEL], "ollama_version": "0.24.0", "openhands_image": IMAGE, "fleethands_bundle": str(path)}
    shared = {**data, "share": True, "site": "office"}
    fleet = read_fleet({"alone": data, "gpu-1": shared, "gpu-2": shared}, Lockfile())
    decision = deliver.deliver.decide(fleet[name], bare(fleet[name]))
    assert isinstance(decision, Change)
    return decision.consequence


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alone", "at most 10 KiB sent over SSH"),
        ("gpu-1", "at most 10 KiB sent over SSH, once for the site office"),
        ("gpu-2", "at most 10 KiB from gpu-1, or sent over SSH if no host of the site office has it"),
    ],
)
def test_the_plan_says_who_sends_the_parts_and_that_relays_are_needed(name: str, expected: str, make: Make) -> None:
    found = consequence(name, make(*WHOLE, size=1024))

    assert found == expected
    assert is_download(found)


def test_a_host_that_has_everything_gets_nothing(make: Make) -> None:
    wanted = settings(make(*WHOLE), openhands_flavor="off")
    probe = bare(wanted).replace(
        packages=frozenset({"ca-certificates", "curl", "nftables", "zstd"}),
        releases={"0.24.0": Release(f"{1:064x}", True, "cpu")},
        models={MODEL: f"{2:064x}"},
    )

    assert isinstance(deliver.deliver.decide(wanted, probe), Unchanged)
    assert checked(wanted, probe) == ""


@pytest.mark.parametrize(
    ("artifacts", "reason"),
    [
        (without("model"), f"has no model {MODEL}"),
        (without("release"), f"has no release {ARCHIVE} of 0.24.0 for amd64"),
        (without("image"), f"has no image {IMAGE} for amd64"),
        (without("package"), "has no packages ca-certificates curl docker.io nftables zstd of debian-13 for amd64"),
    ],
    ids=["model", "release", "image", "packages"],
)
def test_what_is_missing_is_named(artifacts: tuple[PackedArtifact, ...], reason: str, make: Make) -> None:
    wanted = settings(make(*artifacts))

    assert checked(wanted) == reason
    decision = preflight.check.decide(wanted, bare(wanted))
    assert isinstance(decision, Refused)
    assert decision.reason.endswith(reason)
    assert "--suite debian-13" in decision.hints[0]


def test_a_second_image_that_is_missing_is_named(make: Make) -> None:
    image = "ghcr.io/openhands/openhands:1.11"
    wanted = settings(make(*without("image"), artifact("image", image, 5, arch="amd64")), openhands_image=image)

    assert checked(wanted) == "has no image ghcr.io/openhands/agent-server:1.34.0-python for amd64"


def test_a_bundle_that_is_older_than_the_lockfile_is_refused(make: Make, tmp_path: Path) -> None:
    pins = LockfileContents(models={MODEL: ModelPin(digest="9" * 64, size=1)})
    wanted = settings(make(*WHOLE), lock=Lockfile(pins, tmp_path / "fleethands.lock"))

    assert checked(wanted) == (
        f"is outdated: of model {MODEL}, sha256:{'9' * 12}… is pinned, and it has sha256:{'0' * 12}…"
    )


def test_without_pins_the_bundle_is_what_a_name_means(make: Make) -> None:
    wanted = settings(make(*WHOLE))

    assert wanted.models[0].digest == f"{2:064x}"
    assert wanted.container_image == f"ghcr.io/all-hands-ai/openhands@{digest(3)}"
    assert wanted.pins.archives == {ARCHIVE: f"{1:064x}"}


def test_a_delta_without_its_older_bundle_is_named(make: Make) -> None:
    old = make(*WHOLE, name="old.bundle")
    new = make(*WHOLE, name="new.bundle", packed=False)

    assert checked(settings(new)).endswith("because an older bundle has it")
    assert checked(settings(old, new)) == ""


def test_stock_pyinfra_names_one_file(make: Make) -> None:
    path = make(*WHOLE)

    assert settings(fleethands_bundle=str(path)).pins == settings(path).pins


def test_a_host_asks_no_other_source(make: Make) -> None:
    wanted = settings(make(*WHOLE))
    text = ProbeRequest.create(wanted).script

    assert "offers=''" in text
    assert "wanted=''" in text
    assert "offers=''" not in ProbeRequest.create(settings()).script


def test_apt_reads_only_the_bundle(make: Make) -> None:
    wanted = settings(make(*WHOLE))

    decision = packages.install.decide(wanted, bare(wanted))

    assert isinstance(decision, Change)
    assert f"{digest(16)} libc6" in decision.script.values["debs"].splitlines()
    assert decision.consequence == "from the bundle; apt reads nothing else"


def test_space_is_counted_by_the_sizes_of_the_bundle(make: Make) -> None:
    whole = [replace(each, parts=(*each.parts, digest(99))) for each in WHOLE if each.kind != "package"]
    wanted = settings(make(*whole, size=1_000_000_000))

    found = {(each.place, each.size) for each in disk_space.needs(wanted, bare(wanted))}

    assert ("/opt", 2_000_000_000 + (256 << 20)) in found
    assert ("/usr/share/ollama/.ollama/models", 2_000_000_000) in found
    assert ("/var/lib/docker", 6_000_000_000) in found


def test_without_a_bundle_nothing_is_sent() -> None:
    wanted = settings()

    assert isinstance(deliver.deliver.decide(wanted, bare(wanted)), Unchanged)
    assert deliver.check_bundle(wanted, bare(wanted)) is None


def test_an_image_that_is_there_is_not_sent(make: Make) -> None:
    data: dict[str, Any] = {
        "ollama_runtime": "container",
        "ollama_image": "ollama/ollama:0.24.0",
        "openhands_flavor": "off",
    }
    wanted = settings(make(*without("release")), **data)
    assert checked(wanted) == "has no image ollama/ollama:0.24.0 for amd64"
    probe = bare(wanted)

    there = probe.replace(docker=replace(probe.docker, ollama_image=Image("sha256:1")))

    assert checked(wanted, there) == ""
