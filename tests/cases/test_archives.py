"""Which files a release consists of, and what a plan prints when one of them changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleethands.facts import Unknown, gpu, ollama
from fleethands.facts.ollama import Process, Release
from fleethands.operations.core.decision import Change
from fleethands.operations.ollama.release import install
from fleethands.operations.ollama.release_archives import archive_names, choose_variant
from fleethands.settings import SettingsError
from tests.hosts import bare, declared

CASES = yaml.safe_load(Path(__file__).with_name("archives.yaml").read_text())


@pytest.mark.parametrize(("version", "arch", "which", "names"), CASES)
def test_archives(version: str, arch: str, which: str, names: list[str]) -> None:
    assert list(archive_names(version, arch, which)) == names


def test_markers_from_before_variants_are_read_as_whole() -> None:
    old, new = ollama.parse_releases(["0.24.0 9 8 755 0 aa 9 8", "0.24.1 9 8 755 0 aa 9 7 cpu"]).values()

    assert (old, new) == (Release("aa", True, "whole"), Release("aa", False, "cpu"))


def test_a_change_of_variant_says_why_and_foresees_the_restart() -> None:
    settings = declared(ollama_variant="cpu")
    process = Process(7, 1, "/opt/ollama/0.24.0/bin/ollama", {})
    seen = bare(settings).replace(releases={"0.24.0": Release("aa", True)}, process=process)
    seen = seen.with_file("/opt/ollama/current", replace(seen.files["/opt/ollama/current"], target="0.24.0"))

    change = install.decide(settings, seen)

    assert isinstance(change, Change)
    assert change.why == "it was unpacked as `whole`, wanted is `cpu`"
    assert change.consequence.startswith("downloads ollama-linux-amd64.tar.zst ")
    assert change.predict(seen).process == replace(process, exe="/opt/ollama/0.24.0/bin/ollama (deleted)")


NVIDIA = "pci 0000:17:00.0 0x10de 0x2330 nvidia - -"
AMD = "pci 0000:03:00.0 0x1002 0x744c amdgpu 25753026560 29360128"
JETSON = "tegra # R{} (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 2025"


@pytest.mark.parametrize(
    ("lines", "arch", "data", "expected"),
    [
        ([], "amd64", {}, "cpu"),
        ([NVIDIA], "amd64", {}, "whole"),
        (["nvidia 550.54.15"], "arm64", {}, "whole"),
        ([AMD, "amdgpu"], "amd64", {}, "rocm"),
        ([AMD, NVIDIA], "amd64", {}, "whole"),
        ([AMD], "arm64", {}, "whole"),
        ([JETSON.format(35)], "arm64", {}, "jetpack5"),
        ([JETSON.format(36)], "arm64", {}, "jetpack6"),
        ([JETSON.format(38)], "arm64", {}, "whole"),
        ([NVIDIA], "amd64", {"gpu": False}, "cpu"),
        ([], "amd64", {"ollama_variant": "cuda"}, "whole"),
        ([NVIDIA], "amd64", {"ollama_variant": "cpu"}, "cpu"),
    ],
)
def test_the_variant_follows_the_gpus_unless_it_is_declared(
    lines: list[str], arch: str, data: dict[str, Any], expected: str
) -> None:
    settings = declared(**data)

    assert choose_variant(settings, bare(settings).replace(gpu=gpu.parse_gpu(lines)), arch) == expected


def test_gpus_that_could_not_be_read_get_everything() -> None:
    seen = bare().replace(gpu=Unknown("no answer within 5 s", timed_out=True))

    assert choose_variant(declared(), seen, "amd64") == "whole"


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        ({"x86_64": "a" * 64}, "expected one digest, or a dictionary of them by `amd64` and `arm64`"),
        ({"amd64": "SHA256:" + "AB" * 32}, f"expected `{'ab' * 32}`"),
    ],
)
def test_digests_by_architecture_are_refused_with_their_right_spelling(digests: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        declared(ollama_sha256=digests)
