"""The lab internet serves what it promises, injects faults, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.internet import authority, images, models, names, release, repositories
from tests.lab.internet.faults import Fault
from tests.lab.internet.image import Image, split
from tests.lab.internet.process import Server
from tests.lab.internet.registry import MANIFEST
from tests.lab.internet.service import Internet
from tests.lab.shell import run

pytestmark = pytest.mark.lab
OCTETS = divmod(os.getpid() % 62500, 250)
ADDRESS = f"127.77.{OCTETS[0]}.{OCTETS[1] + 1}"
ARCHIVE = f"/ollama/ollama/releases/download/v0.24.0/{release.archive_name()}"
ACCEPT = ("-H", f"Accept: {MANIFEST}")
V0 = images.IMAGES["v0"]
IMAGES = [V0, *(pytest.param(image, marks=pytest.mark.images) for image in (images.V1, images.CANVAS))]


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """One with all that the demo needs."""
    own = Internet(tmp_path_factory.mktemp("net"), ADDRESS)
    own.start()
    own.fill()
    yield own
    own.stop()


@pytest.fixture(autouse=True)
def well(internet: Internet) -> Iterator[None]:
    """No test finds a fault of another's."""
    yield
    internet.clear_faults()


def curl(host: str, path: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """What a client in the lab gets; exit 22 for a status of 400 or more."""
    found = [word for name in names.NAMES for word in ("--resolve", f"{name}:443:{ADDRESS}")]
    words = ["curl", "-sSLf", "--max-time", "60", "--cacert", str(authority.certificate()), *found, *options]
    return subprocess.run([*words, f"https://{host}{path}"], capture_output=True, check=check, timeout=90)


def manifest(reference: tuple[str, str]) -> dict[str, Any]:
    path = f"/v2/{reference[0]}/manifests/{reference[1]}"
    return dict(json.loads(curl(names.MODELS, path, *ACCEPT).stdout))


def layers(reference: tuple[str, str]) -> list[tuple[str, int]]:
    """Paths and sizes of all blobs of a manifest."""
    document = manifest(reference)
    blobs = [document["config"], *document["layers"]]
    return [(f"/v2/{reference[0]}/blobs/{blob['digest']}", blob["size"]) for blob in blobs]


@pytest.mark.parametrize("version", release.VERSIONS)
def test_a_release_agrees_with_its_checksum_and_reports_its_version(version: str, tmp_path: Path) -> None:
    top = f"/ollama/ollama/releases/download/v{version}"
    archive = curl(names.GITHUB, f"{top}/{release.archive_name()}").stdout
    sums = curl(names.GITHUB, f"{top}/sha256sum.txt").stdout.decode()

    assert sums == f"{hashlib.sha256(archive).hexdigest()}  ./{release.archive_name()}\n"
    (tmp_path / "archive.tar.zst").write_bytes(archive)
    run("sh", "-c", "zstd -dc archive.tar.zst | tar -x", cwd=tmp_path)
    said = run(tmp_path / "bin/ollama", "--version", env={"HOME": str(tmp_path), "OLLAMA_HOST": ADDRESS}).stdout
    assert f"client version is {version}" in said
    assert version in (tmp_path / "lib/ollama/LAB.txt").read_text()


def test_the_installer_s_address_leads_to_the_release() -> None:
    path = f"/download/{release.archive_name()}?version=0.24.0"
    where = curl(names.OLLAMA, path, "-o", "/dev/null", "-w", "%{url_effective}").stdout.decode()

    assert where == f"https://{names.ASSETS}/ollama/v0.24.0/{release.archive_name()}"
    assert b"https://ollama.com/download" in curl(names.OLLAMA, "/install.sh").stdout


@pytest.mark.parametrize("model", models.MODELS, ids=lambda model: str(model.name))
def test_a_model_is_whole_and_can_be_pulled_in_parts(model: models.Model) -> None:
    for path, size in layers(model.reference):
        body = curl(names.MODELS, path).stdout
        assert (f"sha256:{hashlib.sha256(body).hexdigest()}", len(body)) == (path.rpartition("/")[2], size)
        headers = curl(names.MODELS, path, "-r", "1-8", "-D", "-", "-o", "/dev/null").stdout.lower()
        assert b" 206 " in headers
        assert b"location: ?" in headers


def test_two_tags_of_a_model_differ() -> None:
    assert manifest(("library/codellama", "7b")) != manifest(("library/codellama", "7b-instruct"))


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: str(image.name))
def test_an_image_says_what_it_is_under_all_of_its_names(internet: Internet, image: Image) -> None:
    internet.offer(image.name.removeprefix("image "))
    found = [manifest(split(reference)) for reference in image.references]
    config = json.loads(curl("ghcr.io", layers(image.reference)[0][0]).stdout)

    assert found == [found[0]] * len(image.references)
    assert "not the upstream image" in config["config"]["Labels"]["io.fleethands.lab"]
    assert len(config["rootfs"]["diff_ids"]) == len(layers(image.reference)) - 1


@pytest.mark.images
def test_the_sandbox_of_v1_has_the_layers_of_v1_and_a_name_of_its_own(internet: Internet) -> None:
    internet.offer("v1")
    app, sandbox = manifest(images.V1.reference), manifest(images.AGENT_SERVER.reference)

    assert sandbox["layers"] == app["layers"]
    assert sandbox["config"] != app["config"]


@pytest.mark.parametrize("name", names.NAMES)
def test_every_name_has_a_certificate_that_strict_clients_take(name: str) -> None:
    chain, _ = authority.server_certificate()
    strict = ("openssl", "verify", "-x509_strict", "-verify_hostname", name, "-CAfile", authority.certificate())
    assert run(*strict, chain).stdout.endswith("OK\n")
    assert curl(name, "/nothing-here", check=False).returncode == 22


@pytest.mark.parametrize("status", [404, 500])
def test_an_address_can_refuse(internet: Internet, status: int) -> None:
    with internet.fault(Fault(status=status), "archive:0.24.0"):
        answer = curl(names.GITHUB, ARCHIVE, "-o", "/dev/null", "-w", "%{http_code}", check=False)
    assert (answer.returncode, answer.stdout.decode()) == (22, str(status))
    assert curl(names.GITHUB, ARCHIVE, "-I").returncode == 0


def test_an_address_can_fail_a_number_of_times(internet: Internet) -> None:
    with internet.fault(Fault(status=500, times=2), "manifest:codellama:7b"):
        path = "/v2/library/codellama/manifests/7b"
        statuses = [curl(names.MODELS, path, *ACCEPT, check=False).returncode for _ in range(3)]
    assert statuses == [22, 22, 0]


@pytest.mark.parametrize("where", ["archive:0.24.0", "model:padded", f"image:{V0.references[0]}"])
def test_content_can_be_wrong_by_a_byte(internet: Internet, where: str) -> None:
    with internet.fault(Fault(flip=True), where) as (path,):
        wrong = curl(host_of(path), path).stdout
        middle = len(wrong) // 2
        part = curl(host_of(path), path, "-r", f"{middle - 2}-{middle + 2}").stdout
    right = curl(host_of(path), path).stdout

    assert [at for at in (middle - 1, middle, middle + 1) if wrong[at] != right[at]] == [middle]
    assert wrong[:middle] + wrong[middle + 1 :] == right[:middle] + right[middle + 1 :]
    assert part == wrong[middle - 2 : middle + 3]


@pytest.mark.parametrize("where", ["archive:0.24.1", "model:padded", f"image:{V0.references[0]}"])
def test_a_connection_can_be_cut_in_the_middle(internet: Internet, where: str, tmp_path: Path) -> None:
    with internet.fault(Fault(cut=0.5, times=1), where) as (path,):
        broken = curl(host_of(path), path, "-o", str(tmp_path / "half"), check=False)
        healed = curl(host_of(path), path, "-o", str(tmp_path / "whole"))
    assert (broken.returncode, healed.returncode) == (18, 0)
    assert (tmp_path / "half").stat().st_size == (tmp_path / "whole").stat().st_size // 2


def test_a_download_can_be_slow(internet: Internet) -> None:
    with internet.fault(Fault(rate=100_000), "model:codellama:7b") as (path,):
        before = time.monotonic()
        size = len(curl(names.MODELS, path).stdout)
    assert time.monotonic() - before > 0.8 * size / 100_000


def test_downloads_can_be_counted(internet: Internet) -> None:
    curl(names.GITHUB, ARCHIVE, "-A", "counted")
    mine = [request for request in internet.requests() if request.agent == "counted"]
    assert [(one.host, one.status) for one in mine] == [(names.GITHUB, 302), (names.ASSETS, 200)]
    assert mine[-1].sent == (release.place() / "v0.24.0" / release.archive_name()).stat().st_size


@pytest.mark.parametrize("server", ["nginx", "registry"])
def test_a_killed_server_is_healed_by_the_next_start(internet: Internet, server: str) -> None:
    killed = pid_of(internet, server)
    kill(killed)
    assert not internet.running()

    internet.start()

    assert internet.running()
    assert pid_of(internet, server) != killed
    internet.start()
    assert curl(names.MODELS, "/v2/").returncode == 0


def test_stop_leaves_no_process_and_no_listener(internet: Internet) -> None:
    with internet.fault(Fault(status=500), "archive:0.24.0"):
        sessions = {str(pid_of(internet, name)) for name in ("nginx", "registry", "standin")}
        internet.stop()
        internet.stop()

    assert not sessions & set(run("ps", "-eo", "sid=").stdout.split())
    assert f"{ADDRESS}:443" not in run("ss", "-Hltn").stdout
    assert not internet.running()
    internet.start()


def test_stop_spares_a_stranger_that_has_the_number_of_a_server_of_old(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        (tmp_path / "nginx.pid").write_text(json.dumps([stranger.pid, 1]))
        Server("nginx", tmp_path).stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def host_of(path: str) -> str:
    return names.MODELS if path.startswith("/v2/") else names.ASSETS


def kill(pid: int) -> None:
    """Gone when this returns."""
    process = os.pidfd_open(pid)
    signal.pidfd_send_signal(process, signal.SIGKILL)
    assert select.select([process], [], [], 10)[0]
    os.close(process)


def pid_of(internet: Internet, server: str) -> int:
    return int(json.loads((internet.directory / f"{server}.pid").read_text())[0])


@pytest.mark.parametrize("name", repositories.TAGS)
def test_git_fetches_a_labelled_stand_in_by_upstreams_name(internet: Internet, name: str, tmp_path: Path) -> None:
    repository = internet.offer_repositories()[name]
    moved = repository.commit("moved", {"NEW.txt": "new\n"})
    resolve = f"http.curloptResolve={names.GITHUB}:443:{ADDRESS}"
    own, trusted = ("-c", resolve, "-c", "http.proxy="), {"GIT_SSL_CAINFO": str(authority.certificate())}
    run("git", "init", "--quiet", tmp_path)

    for ref, files in ((repositories.TAGS[name], {"LAB.txt"}), ("moved", {"LAB.txt", "NEW.txt"})):
        url = f"https://{names.GITHUB}/{name}"
        run("git", "-C", tmp_path, *own, "fetch", "--quiet", "--depth", "1", "--", url, ref, env=trusted)
        assert files <= set(run("git", "-C", tmp_path, "ls-tree", "--name-only", "FETCH_HEAD").stdout.split())

    assert run("git", "-C", tmp_path, "rev-parse", "FETCH_HEAD").stdout.strip() == moved
    assert "STAND-IN" in run("git", "-C", tmp_path, "show", "FETCH_HEAD:LAB.txt").stdout
