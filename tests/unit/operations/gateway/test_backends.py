"""The hosts behind a gateway: nginx configuration, certificates, and what a drain printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.gateway import backends
from fleethands.operations.gateway.drain import Drained, drain_backends, parse_drained
from fleethands.settings import HostSettings, Secret
from fleethands.settings.gateway import backend_name, certificate_names, is_own
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.validation.errors import SettingsError
from fleethands.tasks.gateway import render_backends, render_config
from tests.helpers.gateways import gateway_data
from tests.hosts import bare

TOKEN = "front-" + "f" * 30
ADDRESSES = {"gpu-1": "192.0.2.7:8443", "gpu-2": "10.0.0.12", "gpu-3": "[fd00::13]:8443"}


def declared(folder: Path, **more: Any) -> HostSettings:
    (folder / "front").write_text(TOKEN)
    token = Secret.file(str(folder / "front"))
    data = gateway_data(folder, **{"gateway_backends": ADDRESSES, "gateway_backends_token": token, **more})
    return read_fleet({"host": data}, Lockfile())["host"]


def test_each_host_is_asked_at_its_own_address_and_by_its_own_name(tmp_path: Path) -> None:
    settings = declared(tmp_path)

    text = render_backends(settings)

    assert text is not None
    assert text.count(TOKEN) == 2  # this host itself is asked without one
    assert "proxy_pass http://127.0.0.1:11434;" in text
    assert "proxy_pass https://10.0.0.12:443;" in text
    assert "proxy_pass https://[fd00::13]:8443;" in text
    assert "proxy_ssl_name ip-fd00-0000-0000-0000-0000-0000-0000-0013.fleethands.internal;" in text
    assert settings.gateway is not None
    assert "server unix:/run/fleethands-gateway/gpu-2.sock max_fails=2" in render_config(settings, settings.gateway)


def test_a_certificate_has_the_name_by_which_it_is_checked(tmp_path: Path) -> None:
    names = certificate_names(declared(tmp_path))

    assert names[:3] == ("gpu-1.example", "192.0.2.7", "2001:db8::7")
    assert names[3:] == (backend_name("192.0.2.7"), backend_name("2001:db8::7"))
    assert backend_name("192.0.2.7") == "ip-192-0-2-7.fleethands.internal"


def test_this_host_is_known_by_its_address_and_port(tmp_path: Path) -> None:
    settings = declared(tmp_path)

    assert [name for name, address in settings.gateway_backends.items() if is_own(settings, address)] == ["gpu-1"]


def test_a_plan_names_the_hosts_and_never_the_token(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    probe, content = bare(settings), render_backends(settings)

    change = backends.write_backends.decide(settings, probe, content=content)
    assert isinstance(change, Change)
    assert (change.before, change.after, change.diff) == ("none", "gpu-1, gpu-2, gpu-3", "")
    after = change.predict(probe)
    assert after.files[paths.GATEWAY_BACKENDS].mode == "0640"
    assert isinstance(backends.write_backends.decide(settings, after, content=content), Unchanged)
    trust = backends.write_trust.decide(settings, after)
    assert isinstance(trust, Change)
    assert b"PRIVATE" not in (trust.predict(after).files[paths.GATEWAY_TRUST].content or b"")
    gone = declared(tmp_path, gateway_backends={})
    assert isinstance(backends.write_backends.decide(gone, after, content=None), Change)


@pytest.mark.parametrize(
    ("more", "path", "problem"),
    [
        ({"gateway_backends": {"a b": "10.0.0.1"}}, "gateway_backends.a b", "expected a host of the inventory"),
        ({"gateway_backends": {"../a": "10.0.0.1"}}, "gateway_backends.../a", "expected a host of the inventory"),
        ({"gateway_backends": {"a": "gpu.example:443"}}, "gateway_backends.a", "expected IP:PORT"),
        ({"gateway_backends": {"a": "0.0.0.0:443"}}, "gateway_backends.a", "by which the gateway reaches the host"),
        ({"gateway_backends": {"a": "10.0.0.1", "b": "10.0.0.1:443"}}, "gateway_backends.b", "got that of `a`"),
        ({"gateway_backends_token": None}, "gateway_backends_token", "their gateways ask for a token"),
        ({"gateway_managers": ["ops"]}, "gateway_managers.0", "managed through its own gateway"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, more: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        declared(tmp_path, **more)

    assert [(each.path, problem in each.problem) for each in raised.value.mistakes] == [(path, True)]


def test_what_a_drain_printed_is_data() -> None:
    said = [
        "drain: gpu-1 waits",
        "drain: gpu-1 waited 3 12",
        "drain: other waited 3 12",
        "drain: gpu-2 gone 3 12",
        "drain: gpu-2 busy 9999999 12",
        "drain: gpu-2 busy 3 12 more",
        "drain: gpu-2 busy 2 600",
    ]

    assert [*parse_drained(said, ["gpu-1", "gpu-2"])] == [
        Drained("gpu-1", "waited", 3, 12),
        Drained("gpu-2", "busy", 2, 600),
    ]


def test_the_script_gets_what_it_asks_for() -> None:
    script = drain_backends(["gpu-1", "gpu-2"], 600, 15000)

    assert (script.values["backends"], script.values["limit"], script.values["expires"]) == (
        "gpu-1 gpu-2",
        "600",
        "15000",
    )
