"""What the gateway's operations decide, on the probe of a host."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.network import Listener
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.gateway import certificate, requests, service, tokens
from fleethands.operations.preflight.ports import check_ports
from fleethands.operations.system import system
from fleethands.settings import HostSettings, Secret
from fleethands.settings.gateway import certificate_names
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.tasks.gateway import render_config, render_unit
from fleethands.tls.authority import Authority
from tests.helpers.gateways import TOKENS, gateway_data
from tests.hosts import bare


def declared(folder: Path, **more: Any) -> HostSettings:
    return read_fleet({"host": gateway_data(folder, **more)}, Lockfile())["host"]


def steps(settings: HostSettings, probe: Probe) -> list[tuple[str, Any]]:
    """The decisions of the task, each on the host that the previous decision leaves."""
    assert settings.gateway is not None
    found: list[tuple[str, Any]] = []
    config = render_config(settings, settings.gateway)
    for name, decide, words in (
        ("config", system.write_file.decide, {"path": paths.GATEWAY_CONFIG, "content": config}),
        ("tokens", tokens.write_tokens.decide, {}),
        ("certificate", certificate.write_certificate.decide, {}),
        ("unit", system.write_file.decide, {"path": paths.GATEWAY_UNIT, "content": render_unit()}),
        ("load", service.load.decide, {"address": settings.gateway}),
    ):  # fmt: skip
        decision = decide(settings, probe, **words)
        found.append((name, decision))
        probe = decision.predict(probe) if isinstance(decision, Change) else probe
    return [*found, ("after", probe)]


def serving(settings: HostSettings) -> Probe:
    probe = steps(settings, bare(settings))[-1][1]
    assert isinstance(probe, Probe)
    return probe


def changed(settings: HostSettings, probe: Probe) -> list[str]:
    return [name for name, decision in steps(settings, probe)[:-1] if not isinstance(decision, Unchanged)]


def load(settings: HostSettings, probe: Probe) -> Change:
    decision = dict(steps(settings, probe))["load"]
    assert isinstance(decision, Change)
    return decision


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    settings = declared(tmp_path)

    assert changed(settings, bare(settings)) == ["config", "tokens", "certificate", "unit", "load"]
    assert changed(settings, serving(settings)) == []
    assert isinstance(service.remove.decide(settings, bare(settings)), Unchanged)
    removal = service.remove.decide(settings, serving(settings))
    assert isinstance(service.remove.decide(settings, removal.predict(serving(settings))), Unchanged)


def test_a_changed_token_is_a_reload_and_is_not_shown(tmp_path: Path) -> None:
    probe = serving(declared(tmp_path))
    settings = declared(tmp_path, tokens={**TOKENS, "alice": "new-" + "n" * 30})

    decisions = dict(steps(settings, probe))

    assert changed(settings, probe) == ["tokens", "load"]
    assert load(settings, probe).script.values["verb"] == "reload"
    change = decisions["tokens"]
    assert isinstance(change, Change)
    assert (change.before, change.after, change.why, change.diff) == ("alice, ops", "alice, ops", "a token differs", "")
    assert not re.search("n{30}|a{30}", f"{change.subject} {change.before} {change.after} {change.why} {change.diff}")


def test_names_of_clients_that_come_and_go_are_shown(tmp_path: Path) -> None:
    probe = serving(declared(tmp_path))
    settings = declared(tmp_path, tokens={"bob": "b" * 30, "ops": TOKENS["ops"]})

    change = dict(steps(settings, probe))["tokens"]

    assert isinstance(change, Change)
    assert (change.before, change.after) == ("alice, ops", "bob, ops")


@pytest.mark.parametrize(
    ("more", "verb"),
    [
        ({"gateway_managers": ["ops"]}, "reload"),
        ({"gateway": "[::]:9443"}, "reload"),  # both ports for a moment
        ({"gateway": "0.0.0.0:8443"}, "restart"),  # the same port twice cannot be
    ],
)
def test_only_an_address_with_the_same_port_needs_a_restart(tmp_path: Path, more: dict[str, Any], verb: str) -> None:
    probe = serving(declared(tmp_path)).replace(sockets=(Listener(8443, "::", "nginx", 7),))

    assert load(declared(tmp_path, **more), probe).script.values["verb"] == verb


def test_a_run_that_was_killed_before_the_reload_is_completed(tmp_path: Path) -> None:
    probe, settings = serving(declared(tmp_path)), declared(tmp_path, gateway_managers=["ops"])
    written = dict(steps(settings, probe))["config"]
    assert isinstance(written, Change)

    assert changed(settings, written.predict(probe)) == ["load"]


def test_a_stopped_gateway_is_started(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    probe = serving(settings)
    unit = replace(probe.units[paths.GATEWAY_SERVICE], active="failed")

    change = load(settings, probe.replace(units={**probe.units, paths.GATEWAY_SERVICE: unit}))

    assert (change.script.values["verb"], change.before) == ("start", "stopped")


def test_a_good_certificate_stays_and_others_are_replaced(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    probe = serving(settings)
    key = probe.files[paths.GATEWAY_KEY]

    for wrong in (
        probe.with_file(paths.GATEWAY_CERTIFICATE, ABSENT),
        probe.with_file(paths.GATEWAY_KEY, replace(key, content=b"\xff" * 100)),
        probe.with_file(paths.GATEWAY_KEY, replace(key, mode="0644")),
        _with_certificate(probe, tmp_path, days=310),
    ):
        assert changed(settings, wrong) == ["certificate", "load"]
    assert changed(settings, _with_certificate(probe, tmp_path, days=290)) == ["load"]
    assert changed(declared(tmp_path, gateway_names=["gpu-1.example"]), probe) == ["certificate", "load"]
    (tmp_path / "authority.pem").unlink()
    assert changed(declared(tmp_path), probe) == ["certificate", "load"]  # of another authority


def _with_certificate(probe: Probe, folder: Path, days: int) -> Probe:
    """The certificate is this old."""
    authority = Authority.read((folder / "authority.pem").read_text())
    names = certificate_names(declared(folder))
    issued = authority.issue(names, datetime.now(UTC) - timedelta(days=days))
    for path, text in ((paths.GATEWAY_CERTIFICATE, issued.chain_pem), (paths.GATEWAY_KEY, issued.key_pem)):
        probe = probe.with_file(path, File("file", certificate.MODE, owner=certificate.OWNER, content=text.encode()))
    return probe


def test_declared_files_are_written_as_they_are(tmp_path: Path) -> None:
    declared(tmp_path)
    authority = Authority.read((tmp_path / "authority.pem").read_text())
    issued = authority.issue(["*.lab.example"], datetime.now(UTC))
    (tmp_path / "own.pem").write_text(issued.chain_pem)
    (tmp_path / "own.key").write_text(issued.key_pem)
    settings = declared(
        tmp_path, gateway_authority=None, gateway_names=["gpu-1.lab.example"],
        gateway_certificate=str(tmp_path / "own.pem"), gateway_key=Secret.file(str(tmp_path / "own.key")),
    )  # fmt: skip

    probe = serving(settings)

    assert probe.files[paths.GATEWAY_CERTIFICATE].content == issued.chain_pem.encode()
    assert changed(settings, probe) == []
    assert dict(steps(settings, probe))["certificate"].notes == ()
    old = authority.issue(["gpu-1.lab.example"], datetime.now(UTC) - timedelta(days=360))
    (tmp_path / "own.pem").write_text(old.chain_pem)
    (tmp_path / "own.key").write_text(old.key_pem)
    (note,) = dict(steps(settings, probe))["certificate"].notes
    assert note.startswith("`gateway_certificate`: it ends in ")


def test_a_secret_that_goes_away_after_the_settings_were_read_is_a_refusal(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    (tmp_path / "alice").unlink()
    (tmp_path / "authority.pem").unlink()

    for decision in (
        tokens.write_tokens.decide(settings, bare(settings)),
        certificate.write_certificate.decide(settings, bare(settings)),
    ):
        assert isinstance(decision, Refused)
        assert decision.hints


def test_a_port_of_another_program_is_refused(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    foreign = bare(settings).replace(sockets=(Listener(8443, "0.0.0.0", "nginx", 7),))

    refused = check_ports(settings, foreign)

    assert refused is not None
    assert refused.reason == "port 8443 is held by `nginx` (pid 7)"
    assert check_ports(settings, serving(settings).replace(sockets=foreign.sockets)) is None


ALLOWED = """
POST /v1/chat/completions | POST /api/generate | POST /api/chat | POST /v1/messages | POST /api/show | GET /v1/models
GET /v1/models/qwen3-coder:30b | GET /v1/models/team/coder:v1 | GET /api/tags | HEAD / | GET /api/ps
"""
REFUSED = """
DELETE /api/generate | GET /api/generate | POST /api/tags | post /api/generate | POST /api/generate/
POST //api/generate | POST /api/generate;x | POST /API/generate | POST /api/generate%0a
GET /v1/models/../x y | GET /v1/models//x y
POST /api/delete | POST /api/blobs/sha256:0 | GET /api/blobs/sha256:{digest}
"""
MANAGED = "POST /api/pull | POST /api/create | DELETE /api/delete | POST /api/blobs/sha256:{digest}"


def lines(text: str) -> list[str]:
    return [each.strip().format(digest="0" * 64) for each in text.strip().replace("\n", " | ").split(" | ")]


def matches(patterns: tuple[str, ...], line: str) -> bool:
    return any(re.search(each.replace(r"\z", r"\Z"), line) for each in patterns)


@pytest.mark.parametrize("line", lines(ALLOWED))
def test_a_client_may_use_models(line: str) -> None:
    assert matches(requests.USES, line)
    assert not matches(requests.MANAGES, line)


@pytest.mark.parametrize("line", lines(MANAGED))
def test_only_a_manager_may_change_them(line: str) -> None:
    assert not matches(requests.USES, line)
    assert matches(requests.MANAGES, line)


@pytest.mark.parametrize("line", [*lines(REFUSED), "POST /api/generate\n", "POST /api/pull\n"])
def test_nobody_may_do_anything_else(line: str) -> None:
    assert not matches((*requests.USES, *requests.MANAGES), line)
