"""The script that starts the relay of a host: its rules, what it serves, and who else may be there."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from fleethands.share.relays import LISTENS
from tests.unit.share.started import ALONE, HOST, NEIGHBOR, PORT, STRANGER, TOKEN, Started

pytestmark = pytest.mark.skipif(
    subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine gives a user no network namespace",
)
MANIFEST = b'{"layers": []}'
HAVE = f"/have/{hashlib.sha256(MANIFEST).hexdigest()}"


@pytest.fixture
def host(tmp_path: Path) -> Started:
    return Started(tmp_path)


def test_only_the_neighbor_with_the_token_gets_an_answer(host: Started) -> None:
    host.start()
    for source in (NEIGHBOR, STRANGER, HOST):  # the last one is any account of the host itself
        host.ask(HAVE, source)
    host.ask(HAVE, token="u" * 48)

    assert host.run() == [LISTENS, "0 unknown", "200", "000", "000", "403"]


def test_a_bare_host_without_nft_serves_only_its_site_too(host: Started) -> None:
    host.has_nft = False
    host.start()
    for source in (NEIGHBOR, STRANGER, HOST):
        host.ask(HAVE, source)
    host.start()
    host.start(neighbor=STRANGER)  # systemd filters by the addresses of the start
    for source in (NEIGHBOR, STRANGER):
        host.ask(HAVE, source)
    host.steps.append("wc -l <starts; nft list tables")

    served = ["0 unknown", "200"]
    assert host.run() == [LISTENS, *served, "000", "000", LISTENS, LISTENS, *served, *served, "2"]


def test_a_site_of_ipv6_addresses(host: Started) -> None:
    host.start("fd77::1", "fd77::2")
    host.ask(HAVE, "fd77::2", "fd77::1")
    host.ask(HAVE, "fd77::1", "fd77::1")

    assert host.run() == [LISTENS, "0 unknown", "200", "000"]


def test_a_manifest_is_served_as_a_copy_and_nothing_behind_a_link_is(host: Started, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    secret = others / "id"
    secret.write_bytes(b"of somebody else")
    (host.models / "manifests" / "registry").mkdir()
    (host.models / "manifests" / "registry" / "latest").write_bytes(MANIFEST)
    (host.models / "manifests" / "link").symlink_to(others)
    (host.models / "manifests" / "file").symlink_to(secret)
    host.start()
    host.ask(HAVE)
    host.ask(f"/have/{hashlib.sha256(secret.read_bytes()).hexdigest()}")
    host.steps.append("ls run/share/manifests")
    host.steps.append("rm -rf models/manifests && ln -s ../others models/manifests")  # after the start
    host.ask(HAVE)

    copy = f"sha256-{HAVE.removeprefix('/have/')}"
    assert host.run() == [
        LISTENS, f"{len(MANIFEST)} complete", "200", "0 unknown", "200", copy, f"{len(MANIFEST)} complete", "200",
    ]  # fmt: skip


def test_another_program_on_the_port_is_named(host: Started) -> None:
    listen = f"IO::Socket::IP->new(LocalAddr => '0.0.0.0', LocalPort => {PORT}, Listen => 5) or die; sleep 60"
    host.steps.append(f'perl -MIO::Socket::IP -e "my \\$s = {listen}" >/dev/null 2>&1 &\nsquatter=$!; sleep 1')
    host.start()
    host.steps.append("kill $squatter")

    (said,) = host.run()
    assert said.startswith(f"error: another program listens on port {PORT}: perl, process ")


def test_a_second_run_adds_its_token_and_the_first_takes_only_its_own_away(host: Started) -> None:
    host.start()
    host.start(token="u" * 48)
    host.ask(HAVE, token="u" * 48)
    host.stop()
    host.ask(HAVE)
    host.ask(HAVE, token="u" * 48)
    host.stop("u" * 48)
    host.ask(HAVE, token="u" * 48)
    host.steps.append("ls run; wc -l <starts")

    assert host.run() == [LISTENS, LISTENS, "0 unknown", "200", "403", "0 unknown", "200", "000", "1"]


def test_a_start_before_a_batch_keeps_a_relay_that_was_about_to_end(host: Started) -> None:
    host.start(idle=4)
    host.steps.append("sleep 3")
    host.start(idle=4)
    host.steps.append("sleep 3")
    host.ask(HAVE)
    host.steps.append("sleep 6")
    host.ask(HAVE)
    host.start(idle=4)
    host.steps.append("wc -l <starts")

    assert host.run() == [LISTENS, LISTENS, "0 unknown", "200", "000", LISTENS, "2"]
    assert TOKEN in (host.where / "run" / "share" / "tokens").read_text()
