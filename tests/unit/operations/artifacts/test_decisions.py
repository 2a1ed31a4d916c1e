"""What a limit changes in decisions: the scripts and the plan's words, and not what is decided."""

from __future__ import annotations

from dataclasses import replace

from fleethands.facts.docker import Docker
from fleethands.facts.docker_engine import DockerEngine
from fleethands.facts.system import Space
from fleethands.facts.upstream import OK, Offer, Upstream
from fleethands.operations.core.decision import Change
from fleethands.operations.models import models
from fleethands.operations.ollama import image, release
from fleethands.operations.preflight import disk_space
from fleethands.settings import HostSettings
from tests.hosts import bare, declared

LIMIT = "8 MiB/s"
SIZE = 4 << 30
MODEL = Upstream((Offer("model", "codellama:7b", "https://registry.ollama.ai", OK, size=SIZE, digest="a" * 64),))


def pull(settings: HostSettings) -> Change:
    (change,) = models.pull.decide(settings, bare(settings).replace(upstream=MODEL))
    return change


def test_the_plan_says_how_much_comes_how_fast() -> None:
    assert pull(declared()).consequence == "downloads codellama:7b (4 GiB)"
    assert pull(declared(download_limit=LIMIT)).consequence == "downloads codellama:7b (4 GiB, at most 8 MiB a second)"


def test_without_a_limit_ollama_and_docker_download_as_ever() -> None:
    settings = declared(ollama_runtime="container", openhands_flavor="off")
    pulled = image.pull.decide(settings, bare(settings))

    assert "/api/pull" in pull(declared()).script.values["puller"]
    assert "fetch_parts" not in pull(declared()).script.values["puller"]
    assert isinstance(pulled, Change)
    assert pulled.script.values["fetcher"] == ""


def test_with_a_limit_each_download_goes_by_its_parts() -> None:
    settings = declared(download_limit=LIMIT)
    contained = declared(download_limit=LIMIT, ollama_runtime="container")
    installed, pulled = release.install.decide(settings, bare(settings)), image.pull.decide(contained, bare(contained))

    assert isinstance(installed, Change)
    assert isinstance(pulled, Change)
    for text in (
        pull(settings).script.values["puller"],
        installed.script.values["fetcher"],
        pulled.script.values["fetcher"],
    ):
        assert "limit=8388608\n" in text
        assert "/api/pull" not in text


def test_the_decision_is_the_same_with_and_without_a_limit() -> None:
    free, limited = pull(declared()), pull(declared(download_limit=LIMIT))

    assert (free.subject, free.before, free.after, free.why) == (
        limited.subject, limited.before, limited.after, limited.why,
    )  # fmt: skip


def test_parts_on_another_disk_need_space_too() -> None:
    settings = declared(download_limit=LIMIT, ollama_models_dir="/srv/models", openhands_flavor="off")
    probe = bare(settings).replace(upstream=MODEL)
    disk = {**probe.disk, "/srv/models": replace(probe.disk["/var/lib"], device="2")}
    small = {**disk, "/var/lib": replace(disk["/var/lib"], device="3", free_kib=1 << 20)}

    assert disk_space.check_disk_space(settings, probe.replace(disk=disk)) is None
    refused = disk_space.check_disk_space(settings, probe.replace(disk=small))

    assert refused is not None
    assert refused.reason.startswith("/var/lib has 1024 MiB free,")
    assert "the parts of codellama:7b 4 GiB" in refused.hints[0]
    without = declared(ollama_models_dir="/srv/models", openhands_flavor="off")
    assert disk_space.check_disk_space(without, probe.replace(disk=small)) is None


def test_the_parts_of_an_image_are_counted_next_to_docker_s_copy() -> None:
    settings = declared(download_limit=LIMIT, ollama_runtime="container", openhands_flavor="off")
    name = settings.ollama_container_image
    offer = Offer("image", name, "", OK, size=1 << 30)
    engine = DockerEngine(images="/var/lib/docker", room=Space(100 << 20, True, "1"))
    probe = bare(settings).replace(docker=Docker(True, "26", engine=engine), upstream=Upstream((offer,)))

    needs = {need.what: need.size >> 30 for need in disk_space.needs(settings, probe)}

    assert needs == {name: 3, f"the parts of {name}": 1}
