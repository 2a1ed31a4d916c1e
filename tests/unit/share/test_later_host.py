"""A host that is added later takes an image and a release from neighbors, without a way to the internet."""

from __future__ import annotations

from pathlib import Path

from fleethands.operations.share import programs
from tests.helpers.part_server import Site, serving
from tests.unit.operations.artifacts.test_fetch_image import AMD, CONFIG, ENGINE, INDEX, LAYER, NAMES, registry
from tests.unit.operations.artifacts.unit_run import Ended, digest, run_unit
from tests.unit.share.site import Host, Part

CLOSED = "127.0.0.1:9"  # nothing listens
PINNED = f"{CLOSED}/team/app@{digest(INDEX)}"
SHIPPED = (INDEX, AMD, CONFIG, LAYER)


def prepare(host: Host) -> None:
    for name in ("wanted", "internet", "kept", "silent"):
        (host.run / name).mkdir()
    (host.run / "ask_neighbors.pl").write_text(programs.ask_neighbors())
    (host.run / "hash_pieces.pl").write_text(programs.hash_pieces())


def fetch_image(tmp_path: Path, host: Host, image: str) -> Ended:
    prepare(host)
    return run_unit(tmp_path, NAMES, image, what=f"image {image}", extra=ENGINE, share=str(host.run), tries="2")


def serve(host: Host, *contents: bytes) -> None:
    for each in contents:
        host.has(Part(each))
    host.start_relay()


def test_a_pinned_image_comes_wholly_from_a_neighbor(tmp_path: Path, hosts: list[Host]) -> None:
    serve(hosts[0], *SHIPPED)

    done = fetch_image(tmp_path, hosts[1], PINNED)

    assert (done.outcome, done.done) == ("", True)
    assert [done.part(each).read_bytes() for each in SHIPPED] == list(SHIPPED)
    assert not (done.place / "asked").exists()
    assert f"from the neighbor {hosts[0].address}" in done.said
    assert list((hosts[1].run / "wanted").iterdir()) == []


def test_a_host_whose_name_comes_first_takes_it_as_well(tmp_path: Path, hosts: list[Host]) -> None:
    serve(hosts[3], *SHIPPED)

    assert fetch_image(tmp_path, hosts[0], PINNED).outcome == ""


def test_a_neighbor_does_not_say_what_a_tag_stands_for(tmp_path: Path, hosts: list[Host]) -> None:
    serve(hosts[0], *SHIPPED)

    done = fetch_image(tmp_path, hosts[1], f"{CLOSED}/team/app:v1")

    assert done.outcome.startswith(f"error: cannot ask the registry for image {CLOSED}/team/app:v1: ")


def test_a_layer_that_no_neighbor_has_is_named_with_both_reasons(tmp_path: Path, hosts: list[Host]) -> None:
    serve(hosts[0], INDEX, AMD, CONFIG)

    first, *hints = fetch_image(tmp_path, hosts[1], PINNED).outcome.splitlines()

    assert f"cannot fetch http://{CLOSED}/v2/team/app/blobs/{digest(LAYER)}: " in first
    assert first.endswith("; no neighbor of the site sends it either")
    assert hints[-1] == "hint: select all hosts of the site that may have it, then on this machine: fleethands apply"


def test_a_manifest_that_no_neighbor_has_is_named_with_both_reasons(tmp_path: Path, hosts: list[Host]) -> None:
    serve(hosts[0], LAYER)

    first = fetch_image(tmp_path, hosts[1], PINNED).outcome.splitlines()[0]

    assert first.startswith("error: cannot ask the registry for image ")
    assert first.endswith("; no neighbor of the site sends it either")


def test_a_manifest_that_no_neighbor_has_comes_from_the_registry(tmp_path: Path, hosts: list[Host]) -> None:
    site = registry()
    serve(hosts[0], LAYER)

    with serving(site):
        done = fetch_image(tmp_path, hosts[1], f"{site.url.removeprefix('http://')}/team/app@{digest(INDEX)}")

    assert done.outcome == ""
    assert f"/v2/team/app/blobs/{digest(LAYER)}" not in site.paths()


def test_an_archive_whose_size_no_server_told(tmp_path: Path, hosts: list[Host]) -> None:
    archive = bytes(5_000_000)
    serve(hosts[0], archive)
    prepare(hosts[1])

    given = f"0\n{digest(archive)} - http://{CLOSED}/v0.24.0/ollama.tgz"
    done = run_unit(tmp_path, ("fetch_release",), given, share=str(hosts[1].run))

    assert done.outcome == ""
    assert done.part(archive).read_bytes() == archive


def test_a_neighbor_that_claims_more_than_the_disk_has_is_not_asked(tmp_path: Path, hosts: list[Host]) -> None:
    archive = bytes(5_000_000)
    serve(hosts[0], archive)
    prepare(hosts[1])
    site = Site({"/a": archive})

    with serving(site):
        given = f"-\n{digest(archive)} - {site.url}/a"
        done = run_unit(tmp_path, ("fetch_release",), given, share=str(hosts[1].run), extra="LARGEST_UNKNOWN=4000000\n")

    assert (done.outcome, site.sent) == ("", len(archive))
