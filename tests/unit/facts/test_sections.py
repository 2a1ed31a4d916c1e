"""What hosts say, read into values."""

from __future__ import annotations

import base64
import json

import pytest

from fleethands import paths
from fleethands.facts import gpu, upstream
from fleethands.facts.files import File
from fleethands.facts.gpu import Device, Node, PciGpu
from fleethands.facts.network import Listener, parse_sockets
from fleethands.facts.ollama import Process
from fleethands.facts.upstream import Offer
from tests.helpers.checkout import FIXTURES
from tests.hosts import bare, declared

SETTINGS = declared(ollama_url="https://ana:hunter2@mirror.example/ollama", models=["codellama:7b"])


def smi(status: int, name: str) -> str:
    return f"smi {status} {base64.b64encode((FIXTURES / name).read_bytes()).decode()}"


def test_gpus_are_listed_with_their_memory_in_mebibytes() -> None:
    found = gpu.parse_gpu(
        [
            "pci 0000:17:00.0 0x10de 0x2330 nvidia - -",
            "pci 0000:03:00.0 0x1002 0x744c amdgpu 25753026560 29360128",
            "nvidia 550.54.15",
            "node /dev/nvidia0 666 root",
            "node /dev/dri/renderD128 660 render",
            smi(0, "nvidia-smi-two.csv"),
            "libcuda yes",
        ]
    )

    assert found.pci[0] == PciGpu("0000:17:00.0", "nvidia", "0x2330", "nvidia")
    assert found.pci[1] == PciGpu("0000:03:00.0", "amd", "0x744c", "amdgpu", 24560, 28)
    assert found.devices[1] == Device(
        1, "NVIDIA H100 80GB HBM3", "GPU-9b60d1c7-12f8-4e0d-8a35-77c4f2b6d9bb", "550.54.15", 81559, 70123
    )
    assert (found.nvidia, found.failure, found.libcuda) == ("550.54.15", "", True)
    assert found.nodes["/dev/dri/renderD128"] == Node("0660", "render")


@pytest.mark.parametrize(
    ("status", "name", "devices", "remarks"),
    [
        (
            14,
            "nvidia-smi-inforom.csv",
            ["Tesla P100-PCIE-16GB"],
            ("WARNING: infoROM is corrupted at gpu 0000:0B:00.0",),
        ),
        (
            255,
            "nvidia-smi-one-lost.csv",
            ["NVIDIA GeForce RTX 2080 Ti"] * 3,
            ("Unable to determine the device handle for GPU 0000:0B:00.0: Unknown Error",),
        ),
    ],
)
def test_a_gpu_that_is_unwell_hides_no_other(status: int, name: str, devices: list[str], remarks: tuple[str]) -> None:
    found = gpu.parse_gpu([smi(status, name)])

    assert ([device.name for device in found.devices], found.failure, found.remarks) == (devices, "", remarks)


def test_a_gpu_without_an_identity_is_a_remark() -> None:
    row = "1, [Unknown Error], [Unknown Error], 515.48.07, [Unknown Error], [Unknown Error]"
    text = f"0, NVIDIA GeForce RTX 3090, GPU-67a571b1-79ee-1016-8ea3-c1fff3f1c1d2, 515.48.07, 24268, 1\n{row}\n"

    found = gpu.parse_gpu([f"smi 0 {base64.b64encode(text.encode()).decode()}"])

    assert ([device.index for device in found.devices], found.remarks) == ([0], (row,))


@pytest.mark.parametrize("name", ["nvidia-smi-mig.csv", "nvidia-smi-unified.csv"])
def test_figures_that_the_driver_has_not_are_none(name: str) -> None:
    assert {(device.memory, device.used) for device in gpu.parse_gpu([smi(0, name)]).devices} == {(None, None)}


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        (
            smi(18, "nvidia-smi-mismatch.txt"),
            "Failed to initialize NVML: Driver/library version mismatch NVML library version: 570.124",
        ),
        (
            smi(9, "nvidia-smi-no-driver.txt"),
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest"
            " NVIDIA driver is installed and running.",
        ),
        (
            smi(15, "nvidia-smi-lost.txt"),
            "Unable to determine the device handle for GPU 0000:09:00.0: Unknown Error",
        ),
        (smi(6, "nvidia-smi-none.txt"), "No devices were found"),
        (smi(0, "nvidia-smi-none.txt"), "No devices were found"),
        (smi(124, "empty.txt"), "no answer within 20 s"),
        (smi(3, "empty.txt"), "it failed with status 3"),
    ],
)
def test_what_nvidia_smi_says_instead_of_a_list_is_kept(line: str, failure: str) -> None:
    found = gpu.parse_gpu([line])

    assert (found.devices, found.failure) == ((), failure)


def offered(kind: str, key: str, status: int, answer: str) -> Offer:
    line = f"{kind} {key} x86_64 {status} {base64.b64encode(answer.encode()).decode()}"
    (found,) = upstream.parse_upstream(SETTINGS, [line]).offers
    return found


MODEL = "registry.ollama.ai/library/codellama/7b"
ONE, TWO = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
BLOBS = {"config": {"digest": ONE, "size": 5}, "layers": [{"digest": TWO, "size": 70}, {"digest": TWO, "size": 70}]}


@pytest.mark.parametrize(
    ("status", "answer", "state", "reason", "size"),
    [
        (0, json.dumps(BLOBS) + "\n200", "ok", "", 75),
        (0, "{}\n404", "missing", "its registry answers 404", None),
        (0, "oops\n500", "unknown", "its registry answers 500", None),
        (0, "<html>\n200", "unknown", "its registry answers no manifest", None),
        (6, "", "unreachable", "its name is not known on this host", None),
        (7, "", "unreachable", "nothing answers there", None),
        (28, "", "unreachable", "no answer within 8 s", None),
        (60, "", "unknown", "curl failed with status 60", None),
        (127, "", "unknown", "curl is not on the host yet", None),
    ],
)
def test_a_registry_tells_size_or_why_not(status: int, answer: str, state: str, reason: str, size: int | None) -> None:
    found = offered("model", MODEL, status, answer)

    assert (found.name, found.state, found.reason, found.size) == ("codellama:7b", state, reason, size)
    assert found.server == "registry.ollama.ai"


@pytest.mark.parametrize(
    ("status", "answer", "state", "size"),
    [
        (0, "HTTP/1.1 302 Found\r\ncontent-length: 1\r\n\r\nHTTP/2 200\r\nContent-Length: 99\r\n\r\n", "ok", 99),
        (0, "HTTP/2 404\r\ncontent-length: 9\r\n\r\n", "missing", None),
        (0, "HTTP/2 405\r\n\r\n", "unknown", None),
        (0, "Content-Length: 12\r\nAccept-ranges: bytes\r\n\r\n", "ok", 12),
        (37, "", "missing", None),
    ],
)
def test_a_mirror_tells_the_size_of_the_archive(status: int, answer: str, state: str, size: int | None) -> None:
    found = offered("archive", f"{SETTINGS.ollama_version}/x86_64", status, answer)

    assert (found.state, found.size) == (state, size)
    assert found.url == "https://mirror.example/ollama/v0.24.0/ollama-linux-amd64.tar.zst"


def test_an_image_of_several_platforms_counts_this_one() -> None:
    """As `docker manifest inspect --verbose` lists them (docker/cli); written here, not recorded."""
    other = {"config": {"digest": ONE, "size": 1}, "layers": []}
    entries = [
        {"Descriptor": {"platform": {"os": "linux", "architecture": "arm64"}}, "OCIManifest": other},
        {"Descriptor": {"platform": {"os": "linux", "architecture": "amd64"}}, "OCIManifest": BLOBS},
    ]

    assert offered("image", SETTINGS.openhands_image, 0, json.dumps(entries)).size == 75
    assert offered("image", SETTINGS.openhands_image, 1, "").state == "unknown"


def test_a_password_in_an_address_goes_to_curl_alone() -> None:
    (line,) = {each.line for each in upstream.required_downloads(SETTINGS) if each.key.endswith("x86_64")}

    assert "hunter2" in line
    assert line.partition(" url = ")[2] == (
        '"https://ana:hunter2@mirror.example/ollama/v0.24.0/ollama-linux-amd64.tar.zst"'
    )


def test_listeners_of_ss() -> None:
    lines = [
        'LISTEN 0      4096               *:11434            *:*    users:(("ollama",pid=312,fd=3))',
        'LISTEN 0      4096       127.0.0.1:3000       0.0.0.0:*    users:(("docker-proxy",pid=4,fd=7))',
        'LISTEN 0 128 [::]:11434 [::]:* users:(("a) (b",pid=9,fd=7),("a) (b",pid=10,fd=7))',
        "LISTEN 0      4096           [::1]:3000          [::]:*   ",
    ]

    assert parse_sockets(lines) == (
        Listener(11434, "*", "ollama", 312),
        Listener(3000, "127.0.0.1", "docker-proxy", 4),
        Listener(11434, "::", "a) (b", 9),
        Listener(3000, "::1", ""),
    )


def test_a_document_shows_no_secret() -> None:
    environment = {
        "OLLAMA_HOST": "0.0.0.0:11434",
        "OLLAMA_API_KEY": "hunter1",
        "HTTPS_PROXY": "http://ana:hunter2@proxy:3128",
        "OLLAMA_REMOTES": "hunter3",
        "OLLAMA_ORIGINS": "hunter6",
        "PATH": "/hunter4",
    }
    seen = bare(SETTINGS).replace(process=Process(1, 1, "/opt/ollama/current/bin/ollama", environment))
    seen = seen.with_file(paths.OLLAMA_SECRETS, File("file", "0600", content=b'OLLAMA_ORIGINS="hunter6"\n'))
    seen = seen.with_file("/etc/secret", File("file", "0600", content=b"hunter5", mtime=7))

    document = seen.to_json(secrets={"OLLAMA_REMOTES"})

    assert "hunter" not in json.dumps(document)
    assert document["process"]["environment"] == {
        "HTTPS_PROXY": "********",
        "OLLAMA_API_KEY": "********",
        "OLLAMA_HOST": "0.0.0.0:11434",
        "OLLAMA_ORIGINS": "********",
        "OLLAMA_REMOTES": "********",
    }
    assert document["files"]["/etc/secret"]["content"] is None
    assert document["files"]["/etc/secret"]["mtime"] == 7
