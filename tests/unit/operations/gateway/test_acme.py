"""What is decided about a gateway's certificate by ACME, on the probe of a host."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.gateway import acme
from fleethands.operations.gateway.certificate import OWNER
from fleethands.settings import HostSettings, SettingsError
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.packages import needed_packages
from fleethands.settings.serialize import from_json, to_json
from fleethands.tasks.gateway import render_renewal, render_timer
from fleethands.tls.authority import Authority
from tests.helpers.gateways import gateway_data
from tests.hosts import bare

OWN = {"gateway_authority": None, "gateway_names": ["gpu-1.example.com"], "gateway_acme": "letsencrypt"}


def declared(folder: Path, **more: Any) -> HostSettings:
    return read_fleet({"host": gateway_data(folder, **{**OWN, **more})}, Lockfile())["host"]


def obtain(settings: HostSettings, probe: Probe) -> Any:
    return acme.obtain.decide(settings, probe, unit=render_renewal(), timer=render_timer())


def issued(settings: HostSettings, begins: datetime, names: tuple[str, ...] = ("gpu-1.example.com",)) -> Probe:
    """A host after an apply, whose authority issued a certificate at that time."""
    change = obtain(settings, bare(settings))
    assert isinstance(change, Change)
    probe = change.predict(bare(settings))
    made = Authority.create("test", begins).issue(names, begins)
    digest = hashlib.sha256(made.chain_pem.encode()).hexdigest()
    text = f"{settings.gateway_acme} {' '.join(settings.gateway_names)}\n{digest}\n"
    contents = {paths.GATEWAY_CERTIFICATE: made.chain_pem, paths.GATEWAY_KEY: made.key_pem}
    for path, content in contents.items():
        probe = probe.with_file(path, File("file", "0640", owner=OWNER, content=content.encode()))
    return probe.with_file(paths.ACME_ISSUED, File("file", "0600", owner="root:root", content=text.encode()))


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    assert obtain(settings, bare(settings)).why == "the gateway has none"
    probe = issued(settings, datetime.now(UTC))
    assert isinstance(obtain(settings, probe), Unchanged)
    removal = acme.remove.decide(settings, probe)
    assert isinstance(acme.remove.decide(settings, removal.predict(probe)), Unchanged)
    assert isinstance(acme.remove.decide(settings, bare(settings)), Unchanged)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"gateway_names": ["gpu-2.example.com"]}, "other names, or from another authority"),
        ({"gateway_acme": "https://acme.example/dir"}, "other names, or from another authority"),
        ({"gateway_acme_email": "ops@example.com"}, "renew.sh changed"),
    ],
)
def test_what_changed_asks_again(tmp_path: Path, more: dict[str, Any], why: str) -> None:
    probe = issued(declared(tmp_path), datetime.now(UTC))
    assert why in obtain(declared(tmp_path, **more), probe).why


def test_a_late_certificate_a_foreign_one_and_a_stopped_timer_are_seen(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    now = datetime.now(UTC)
    probe = issued(settings, now - timedelta(days=355))
    assert obtain(settings, probe).why == "the host did not renew it in time"
    assert "it is not for" in obtain(settings, issued(settings, now, ("other.example.com",))).why
    probe = issued(settings, now)
    stopped = probe.replace(units={})
    assert obtain(settings, stopped).why == "the timer that renews it does not run"
    other = File("file", "0640", owner=OWNER, content=b"x")
    assert "from another authority" in obtain(settings, probe.with_file(paths.GATEWAY_CERTIFICATE, other)).why


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"gateway_names": ["gpu-1.example.com", "192.0.2.7"]}, "gateway_names"),
        ({"gateway_names": ["gpu-1"]}, "gateway_names"),
        ({"gateway_certificate": "some.pem"}, "gateway_certificate"),
        ({"gateway": "0.0.0.0:80"}, "expected another port"),
        ({"gateway_acme": "http://acme.example/dir"}, "gateway_acme"),
        ({"gateway_acme": "https://acme.example/$(id)"}, "gateway_acme"),
        ({"gateway_acme_email": "a b@example.com"}, "gateway_acme_email"),
        ({"gateway_acme_trust": "missing.pem"}, "cannot read `missing.pem`"),
        ({"gateway_acme": None, "gateway_acme_email": "a@example.com"}, "only with `gateway_acme`"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, more: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError, match=path.replace("`", ".")):
        declared(tmp_path, **more)


def test_the_package_is_needed_and_a_rollback_keeps_todays(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    assert "certbot" in needed_packages(settings)
    assert "certbot" not in needed_packages(read_fleet({"host": gateway_data(tmp_path)}, Lockfile())["host"])
    assert "gateway_acme" not in to_json(settings)
    assert from_json(to_json(settings), settings)["gateway_acme"] == settings.gateway_acme
    assert settings.gateway_acme == "https://acme-v02.api.letsencrypt.org/directory"
