"""The GPUs of Ollama's container: which ones it gets, and which are refused."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from fleethands.facts import Probe, gpu
from fleethands.facts.docker import Docker, Image
from fleethands.facts.docker_engine import DockerEngine
from fleethands.operations.core.decision import Refused
from fleethands.operations.ollama.gpus import container_arguments
from fleethands.operations.preflight import container_gpus
from tests.answers import docker_script
from tests.helpers.checkout import FIXTURES
from tests.hosts import bare, declared

IMAGE, ID = "ollama/ollama:0.24.0", "sha256:" + "1" * 64
DIGEST = "sha256:" + "d" * 64
OFF: dict[str, Any] = {"openhands_flavor": "off", "ollama_runtime": "container"}
MADE = Docker(True, "26", ollama_image=Image(ID, frozenset({DIGEST})))


def with_gpu(row: list[str], docker: Docker = MADE) -> Probe:
    return bare().replace(gpu=gpu.parse_gpu(row), docker=docker)


def smi(status: int, name: str) -> str:
    return f"smi {status} {base64.b64encode((FIXTURES / name).read_bytes()).decode()}"


NVIDIA = ["pci 0000:01:00.0 0x10de 0x2684 nvidia - -", "nvidia 550.54", smi(0, "nvidia-smi-two.csv")]
MISMATCH = ["pci 0000:01:00.0 0x10de 0x2684 nvidia - -", "nvidia 550.54", smi(18, "nvidia-smi-mismatch.txt")]
NOUVEAU = ["pci 0000:01:00.0 0x10de 0x2684 nouveau - -"]
AMD = ["pci 0000:03:00.0 0x1002 0x744c amdgpu 25753026560 0", "amdgpu", "node /dev/kfd 660 render"]
AMD_NODES = [*AMD, "node /dev/dri/renderD128 660 render"]
RUNTIME, CDI = (replace(MADE, engine=DockerEngine("26", gpus=each)) for each in ("runtime", "cdi"))


@pytest.mark.parametrize(
    ("row", "declares", "docker", "arguments"),
    [
        ([], None, MADE, ()),
        (NVIDIA, None, RUNTIME, ("--gpus", "all")),
        (NVIDIA, True, RUNTIME, ("--gpus", "all")),
        (NVIDIA, None, CDI, ("--device", "nvidia.com/gpu=all")),
        (NVIDIA, False, RUNTIME, ("--env", "NVIDIA_VISIBLE_DEVICES=void")),
        (MISMATCH, None, RUNTIME, ()),
        (NOUVEAU, None, RUNTIME, ()),
        (AMD, None, MADE, ("--device", "/dev/kfd")),
        (AMD_NODES, True, MADE, ("--device", "/dev/kfd", "--device", "/dev/dri")),
    ],
)
def test_gpus_are_passed_as_the_host_has_them(
    row: list[str], declares: bool | None, docker: Docker, arguments: tuple[str, ...]
) -> None:
    assert container_arguments(declared(**OFF, gpu=declares), with_gpu(row, docker)) == arguments


def test_a_gpu_that_docker_gives_to_nobody_is_refused() -> None:
    settings = declared(**OFF)
    refused = container_gpus.check_container_gpus(settings, with_gpu(NVIDIA))
    assert refused is not None
    assert refused.reason.endswith("and no container gets it: NVIDIA's container toolkit is missing")
    assert 'Ollama without Docker: declare `"ollama_runtime": "service"`' in refused.hints
    for fine in (with_gpu(NVIDIA, RUNTIME), with_gpu(NVIDIA, CDI), with_gpu(AMD_NODES), with_gpu(NOUVEAU)):
        assert container_gpus.check_container_gpus(settings, fine) is None
    assert container_gpus.check_container_gpus(settings, with_gpu(NVIDIA, Docker(installed=False))) is not None
    assert (
        container_gpus.check_container_gpus(settings, with_gpu(NVIDIA, Docker(installed=True))) is None
    )  # Docker does not run, so this is unknown
    refused = container_gpus.check_container_gpus(settings, with_gpu(MISMATCH, RUNTIME))
    assert refused is not None
    assert "and nvidia-smi does not answer for it: Failed to initialize NVML" in refused.reason
    assert container_gpus.check_container_gpus(declared(**OFF, gpu=False), with_gpu(NVIDIA)) is None
    assert container_gpus.check_container_gpus(declared(openhands_flavor="off"), with_gpu(NVIDIA)) is None


def test_an_image_without_rocm_is_refused_or_noted_on_a_host_with_an_amd_gpu() -> None:
    hint = 'declare `"ollama_image": "ollama/ollama:0.24.0-rocm"`'
    assert container_gpus.check_container_gpus(declared(**OFF, gpu=True), with_gpu(AMD_NODES)) == Refused(
        f"{IMAGE} has no ROCm, and the host has an AMD GPU", (hint,)
    )
    assert container_gpus.notes(declared(**OFF), with_gpu(AMD_NODES)) == (
        f"{IMAGE} has no ROCm, and the host has an AMD GPU; {hint}",
    )
    rocm = declared(**OFF, ollama_image="ollama/ollama:0.24.0-rocm", gpu=True)
    assert container_gpus.check_container_gpus(rocm, with_gpu(AMD_NODES)) is None
    assert container_gpus.notes(declared(**OFF), with_gpu(NVIDIA, RUNTIME)) == ()


# what is read


RECORDED = (FIXTURES / "docker-info-nvidia.json").read_text()
RUNTIMES = '"Runtimes":{"io.containerd.runc.v2":{"path":"runc"},"nvidia":{"path":"nvidia-container-runtime"},'
PLAIN = RECORDED.replace('"nvidia":{"path":"nvidia-container-runtime"},', "")
# https://github.com/moby/moby/pull/49980 (Docker 28.2) has the shape of a discovered device
DEVICE = '"DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=all"}]'


@pytest.mark.parametrize(
    ("info", "hook", "way"),
    [
        (RECORDED, False, "runtime"),
        (PLAIN, False, ""),
        (PLAIN, True, "runtime"),
        (PLAIN.replace('"Labels":[]', '"Labels":["\\"nvidia\\":"]'), False, ""),
        (PLAIN.replace('"CDISpecDirs":[]', f'"CDISpecDirs":[],{DEVICE}'), False, "cdi"),
        ("", True, "runtime"),
        ("", False, ""),
    ],
)
def test_how_containers_get_gpus_is_what_docker_says(info: str, hook: bool, way: str) -> None:
    assert RUNTIMES in RECORDED
    text = docker_script()
    head = "container=c image= ollama_image= ollama_container=o ports=1 records=/none\n"
    have = f"have() {{ {'true' if hook else 'false'}; }}"
    script = f"{head}{text}\n{have}\ninfo=$(cat)\ndocker_gpus"
    done = subprocess.run(["sh", "-c", script], input=info, capture_output=True, text=True, check=True)
    assert done.stdout == (f"gpus {way}\n" if way else "")
