"""The unit that fetches parts asks neighbors first, and lets neighbors take what it downloads."""

from __future__ import annotations

from pathlib import Path

from fleethands.operations.share import programs
from tests.helpers.part_server import Site, serving
from tests.unit.operations.artifacts.unit_run import Ended, run_unit
from tests.unit.share.site import Host, Part, pieces_of, random_part, wrong

PATH = "/v0.24.0/ollama.tgz"


def fetch(tmp_path: Path, host: Host, part: Part, site: Site) -> Ended:
    for name in ("wanted", "internet", "kept", "silent"):
        (host.run / name).mkdir()
    (host.run / "ask_neighbors.pl").write_text(programs.ask_neighbors())
    (host.run / "hash_pieces.pl").write_text(programs.hash_pieces())
    with serving(site):
        row = f"sha256:{part.digest} - {site.url}{PATH}"
        return run_unit(tmp_path, ("fetch_release",), f"{len(part.bytes)}\n{row}", share=str(host.run))


def test_a_part_comes_from_the_neighbor_and_not_from_its_server(tmp_path: Path, hosts: list[Host]) -> None:
    part, site = random_part(2), Site({})
    hosts[0].has(part)
    hosts[0].start_relay()

    done = fetch(tmp_path, hosts[1], part, site)

    assert (done.outcome, site.asked) == ("", [])
    assert done.part(part.bytes).read_bytes() == part.bytes
    assert f"note: release 0.24.0: 8 MiB from the neighbor {hosts[0].address}\n" in done.said
    assert list((hosts[1].run / "wanted").iterdir()) == []


def test_a_host_without_a_neighbor_downloads_and_lists_its_pieces(tmp_path: Path, hosts: list[Host]) -> None:
    part = random_part(2)
    site = Site({PATH: part.bytes})

    done = fetch(tmp_path, hosts[0], part, site)

    assert done.part(part.bytes).read_bytes() == part.bytes
    assert (done.store / f"sha256-{part.digest}.pieces").read_text() == pieces_of(part.bytes)
    assert list((hosts[0].run / "internet").iterdir()) == []


def test_a_neighbor_that_lies_costs_a_download_and_no_wrong_byte(tmp_path: Path, hosts: list[Host]) -> None:
    part = random_part(2)
    site = Site({PATH: part.bytes})
    hosts[0].is_downloading(part, wrong(part, 1))
    hosts[0].start_relay()

    done = fetch(tmp_path, hosts[1], part, site)

    assert done.part(part.bytes).read_bytes() == part.bytes
    assert f"note: release 0.24.0: neighbor {hosts[0].address} sent wrong bytes\n" in done.said
