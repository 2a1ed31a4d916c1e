"""Which files a release is made of, and what is said of a change of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from fleethands.facts import sections
from fleethands.facts.probe import Process, Release
from fleethands.operations.change import Change
from fleethands.operations.release import archives, release
from fleethands.settings import SettingsError
from tests.hosts import bare, declared

CASES = yaml.safe_load(Path(__file__).with_name("archives.yaml").read_text())


@pytest.mark.parametrize(("version", "arch", "variant", "names"), CASES)
def test_archives(version: str, arch: str, variant: str, names: list[str]) -> None:
    assert list(archives(version, arch, variant)) == names


def test_markers_from_before_variants_are_read_as_whole() -> None:
    old, new = sections.releases(["0.24.0 9 8 755 0 aa 9 8", "0.24.1 9 8 755 0 aa 9 7 cpu"]).values()

    assert (old, new) == (Release("aa", True, "whole"), Release("aa", False, "cpu"))


def test_a_change_of_variant_says_why_and_foresees_the_restart() -> None:
    settings = declared(ollama_variant="cpu")
    process = Process(7, 1, "/opt/ollama/0.24.0/bin/ollama", {})
    seen = bare(settings).having(releases={"0.24.0": Release("aa", True)}, process=process)
    seen = seen.with_file("/opt/ollama/current", replace(seen.files["/opt/ollama/current"], target="0.24.0"))

    change = release.decide(settings, seen)

    assert isinstance(change, Change)
    assert change.why == "it was unpacked as `whole`, wanted is `cpu`"
    assert change.consequence.startswith("downloads ollama-linux-amd64.tar.zst ")
    assert change.then(seen).process == replace(process, exe="/opt/ollama/0.24.0/bin/ollama (deleted)")


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
