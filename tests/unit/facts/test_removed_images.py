"""The probe names the images of release records that the host no longer has."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from fleethands.facts import docker
from fleethands.facts.docker import Container, Docker
from tests.helpers.release_records import CURRENT, render_record
from tests.hosts import bare

DOCKER = """#!/bin/sh
case $* in
  *1111) echo "$4" ;;
  *2222) echo "Error response from daemon: No such image: $4" >&2; exit 1 ;;
  *) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;
esac
"""


def find_removed_images(place: Path, *ids: str) -> subprocess.CompletedProcess[str]:
    """What the probe prints about records with these images. `docker` is a stand-in with those that end in 1."""
    (place / "docker").write_text(DOCKER)
    (place / "docker").chmod(0o755)
    for number, each in enumerate(ids):
        then = Docker(True, "26", Container("c1", "running", each, {}, ""))
        (place / f"record-{number}.json").write_text(render_record(CURRENT, bare().replace(docker=then)))
    text = files("fleethands.facts").joinpath("docker.sh").read_text()
    part = text[text.index("inspect_object()") :]
    head = f'PATH={place}:$PATH; deadline=0; has_api=; body="$1"; shift; records="$*"; before() {{ shift; "$@"; }}'
    words = [ids[0] if ids else "", *(str(place / f"record-{number}.json") for number in range(3))]
    script = "\n".join([head, part, "docker_gone"])
    return subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, text=True, timeout=30, check=False)


def test_the_probe_names_images_of_records_that_are_gone(tmp_path: Path) -> None:
    ours, there, gone, unknown = ("sha256:" + each * 64 for each in "3124")

    assert find_removed_images(tmp_path, ours, there, gone).stdout == f"gone {gone}\n"
    assert find_removed_images(tmp_path, ours, unknown, gone).returncode == 1  # and never taken for gone
    assert docker.parse_docker(["version 26", "container -", f"gone {gone}"]).gone == {gone}
    with pytest.raises(ValueError, match="voodoo"):
        docker.parse_docker(["version 26", "container -", "gone voodoo"])
