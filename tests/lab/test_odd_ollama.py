"""Hosts on which Ollama's account, store, way out or settings are not as upstream's installer leaves them."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleethands.settings.envconfig import same
from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.relay import Relay
from tests.lab.test_adoption import install

MODEL = "codellama:7b"
ONE: dict[str, Any] = {**QUIET, "models": [MODEL]}
FIXTURES = Path(__file__).parents[1] / "fixtures"
OWN_MODELS = "Ollama | Own its models"


def refused(**data: Any) -> tuple[str, list[str]]:
    """Reason and hints of a plan that is refused."""
    code, document = fleet.fleethands("plan", **data)
    told = document["hosts"]["lab-1"]
    assert (code, told["status"]) == (1, "refused"), told
    return told["reason"], told["hints"]


def typed(host: Host, hints: list[str]) -> None:
    """Those of the hints that are commands for the host, done there."""
    for hint in hints:
        _, on_host, command = hint.partition("on the host: ")
        if on_host:
            host.run(command)


def settled(**data: Any) -> None:
    """A second apply changes nothing."""
    assert fleet.apply("lab-1", **data).changed("lab-1") == []


def test_opt_behind_a_link_and_an_account_with_a_home_of_its_own(clean: Host) -> None:
    clean.run("mkdir -p /srv/opt && cp -a /opt/. /srv/opt/ && rm -rf /opt && ln -s /srv/opt /opt")
    clean.run("useradd -r -m -d /var/lib/ollama -s /bin/false ollama")

    run = fleet.apply("lab-1", **ONE)

    assert run.code == 0, run.said
    manifest = "/var/lib/ollama/.ollama/models/manifests/registry.ollama.ai/library/codellama/7b"
    digest = clean.run(f"sha256sum < {manifest}").stdout.split()[0]
    assert clean.run("ls /usr/share/ollama", check=False).returncode != 0
    before = observe.process(clean)
    settled(**{**ONE, "models": [{"name": MODEL, "digest": digest}]})
    assert observe.process(clean) == before


@pytest.mark.soak
def test_a_pinned_model_comes_into_the_home_that_the_account_has(clean: Host) -> None:
    clean.run("useradd -r -m -d /var/lib/ollama -s /bin/false ollama")
    assert fleet.apply("lab-1", **ONE).code == 0
    manifest = "/var/lib/ollama/.ollama/models/manifests/registry.ollama.ai/library/codellama/7b"
    digest = clean.run(f"sha256sum < {manifest}").stdout.split()[0]
    clean.run(f"ollama rm {MODEL}")
    pinned = {**ONE, "models": [{"name": MODEL, "digest": digest}]}

    run = fleet.apply("lab-1", **pinned)

    assert run.code == 0, run.said
    settled(**pinned)


@pytest.mark.soak
def test_an_account_whose_home_the_service_can_not_see(clean: Host) -> None:
    clean.run("useradd -m -s /bin/bash ollama")

    run = fleet.apply("lab-1", **ONE)

    assert run.code == 0, run.said
    assert observe.environment(clean)["HOME"] == "/usr/share/ollama"
    assert clean.run("ls -A /home/ollama").stdout.split() == [".bash_logout", ".bashrc", ".profile"]
    settled(**ONE)


@pytest.mark.soak
@pytest.mark.parametrize("home", ["/", "/nonexistent", "/var/lib", "/srv"])
def test_a_home_that_is_no_directory_of_the_account_s_own_stays_whose_it_is(clean: Host, home: str) -> None:
    clean.run(f"useradd -r -M -d {home} -s /bin/false ollama")
    owner = clean.run(f"stat -c '%U %a' {home}", check=False).stdout

    run = fleet.apply("lab-1", **ONE)

    assert run.code == 0, run.said
    assert clean.run(f"stat -c '%U %a' {home}", check=False).stdout == owner
    settled(**ONE)


@pytest.mark.soak
def test_the_home_and_the_models_may_lie_behind_links_of_root_s(clean: Host) -> None:
    clean.run(
        "mkdir -p /big/ollama /big/models && ln -s /big/ollama /usr/share/ollama && ln -s /big/models /srv/models"
    )
    elsewhere = {**ONE, "ollama_models_dir": "/srv/models"}

    run = fleet.apply("lab-1", **elsewhere)

    assert run.code == 0, run.said
    assert clean.run("ls /big/models/manifests; ls -d /big/ollama/.ollama").returncode == 0
    settled(**elsewhere)


@pytest.mark.soak
def test_a_parent_that_ollama_may_not_enter_is_named_before_anything_changes(clean: Host) -> None:
    clean.run("install -d -m 0700 /data")
    wanted = {**ONE, "ollama_models_dir": "/data/ollama/models"}

    reason, hints = refused(**wanted)

    assert reason == "the user ollama may not enter /data (root:root 0700), and /data/ollama/models lies below it"
    assert clean.run("ls -A /data; ls -A /opt/ollama", check=False).stdout == ""
    typed(clean, hints)
    run = fleet.apply("lab-1", **wanted)
    assert run.code == 0, run.said
    settled(**wanted)
    clean.run("groupadd storage && usermod -aG storage ollama && chgrp storage /data && chmod 0750 /data")
    clean.run("systemctl restart ollama")
    settled(**wanted)  # the account has a way in, if not everybody has
    clean.run("systemctl stop ollama; gpasswd -d ollama storage")
    assert "(root:storage 0750)" in refused(**wanted)[0]


@pytest.mark.soak
def test_models_that_root_copied_are_given_to_ollama(serving: Host) -> None:
    serving.run("mkdir -p /data/models && cp -r /usr/share/ollama/.ollama/models/. /data/models/")
    serving.run(
        "chown ollama:ollama /data/models && mkdir /data/models/.mine && ln -s /etc/shadow /data/models/.mine/x"
    )
    wanted = {**QUIET, "models": [MODEL, "tiny-tools"], "ollama_models_dir": "/data/models"}
    shadow = serving.run("stat -c '%U:%G %a' /etc/shadow").stdout

    code, document = fleet.fleethands("plan", **wanted)
    run = fleet.apply("lab-1", **wanted)

    assert (code, OWN_MODELS in fleet.changes(document)) == (2, True), document
    assert run.code == 0, run.said
    assert serving.run("find /data/models ! -user ollama").stdout == ""
    assert serving.run("stat -c '%U:%G %a' /etc/shadow").stdout == shadow
    settled(**wanted)


@pytest.mark.soak
def test_models_of_a_person_are_named_and_a_pull_ends_at_once(serving: Host) -> None:
    serving.run("useradd -m bob; cd /usr/share/ollama/.ollama/models && chown -R bob: manifests blobs")
    wanted = {**QUIET, "models": [MODEL, "tiny-tools"]}

    planned = fleet.fleethands("plan", **wanted)[1]["hosts"]["lab-1"]["notes"]
    run = fleet.apply("lab-1", **wanted)

    assert any("Ollama can't write /usr/share/ollama/.ollama/models/" in note for note in planned), planned
    assert run.code == 1
    assert "trying again" not in run.said
    assert "permission denied" in run.said
    (hint,) = set(re.findall(r"hint: on the host: (chown -R ollama: .*)", run.said))
    serving.run(hint)
    assert fleet.apply("lab-1", **wanted).code == 0
    settled(**wanted)


@pytest.mark.soak
def test_a_second_name_of_a_file_of_root_s_is_not_given_away(serving: Host) -> None:
    models = "/usr/share/ollama/.ollama/models"
    serving.run(f"cp /etc/hostname /usr/share/ollama/other && ln /usr/share/ollama/other {models}/blobs/other")
    serving.run(f"chown root: {models}/blobs")

    run = fleet.apply("lab-1", **ONE)

    assert run.code == 1
    assert f"error: {models}/blobs/other stays root's: it has a second name somewhere" in run.said
    assert serving.run("stat -c %U /usr/share/ollama/other").stdout == "root\n"
    typed(
        serving, [f"on the host: {line}" for line in re.findall(r"hint: on the host: (chown ollama: .*)", run.said)[:1]]
    )
    assert fleet.apply("lab-1", **ONE).code == 0
    settled(**ONE)


@contextmanager
def mounted(host: Host, place: str, options: str) -> Iterator[None]:
    """A directory as a mount of its own with such options."""
    host.run(f"mkdir -p {place} && mount --bind {place} {place} && mount -o remount,bind,{options} {place}")
    try:
        yield
    finally:
        host.run(f"umount {place}", check=False)


@pytest.mark.soak
def test_noexec_of_opt_is_named_and_that_of_tmp_does_not_matter(clean: Host) -> None:
    with mounted(clean, "/tmp", "noexec"), mounted(clean, "/opt", "noexec"):
        reason, hints = refused(**ONE)
        assert reason == "/opt is mounted noexec, so Ollama can't be started from there"
        typed(clean, hints[:1])
        run = fleet.apply("lab-1", **ONE)
        assert run.code == 0, run.said
        settled(**ONE)


@pytest.mark.soak
def test_opt_on_the_disk_of_the_homes_is_refused_with_the_way_out(clean: Host) -> None:
    clean.run("mkdir -p /home/opt && cp -a /opt/. /home/opt/ && rm -rf /opt && ln -s /home/opt /opt")

    reason, hints = refused(**ONE)

    assert reason == "/opt/ollama leads to /home/opt/ollama, which Ollama's service does not see"
    typed(clean, hints)
    run = fleet.apply("lab-1", **ONE)
    assert run.code == 0, run.said
    settled(**ONE)


@pytest.mark.soak
def test_the_release_comes_by_the_proxy_that_ollama_has(lab: Lab, clean: Host) -> None:
    clean.run(
        "nft add table inet t && nft add chain inet t o '{ type filter hook output priority 0; }' && "
        "nft add rule inet t o tcp dport 443 ip daddr != 127.0.0.0/8 drop"
    )
    assert refused(**ONE)[0].startswith("no route to ")
    with Relay(lab.gateway, (lab.internet.address, 443), proxy=True).open() as relay:
        wanted = {**ONE, "ollama_env": {"HTTPS_PROXY": f"http://{lab.gateway}:{relay.port}"}}
        run = fleet.apply("lab-1", **wanted)
        assert run.code == 0, run.said
        assert any("github.com" in line for line in relay.asked), relay.asked
        settled(**wanted)


@pytest.mark.soak
def test_what_a_hint_declares_is_taken_and_means_the_same(clean: Host) -> None:
    theirs = {
        "OLLAMA_HOST": "http://127.0.0.1:11434/",
        "OLLAMA_ORIGINS": "'https://*.example'",
        "OLLAMA_NOPRUNE": "on",
        "OLLAMA_KEEP_ALIVE": " 600s",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
    install(clean, *(f'"{name}={value}"' for name, value in theirs.items()))

    _, hints = refused(**ONE)

    lines = [match[1] for hint in hints if (match := re.match(r"to keep .*?, declare (.*)", hint))]
    pasted = dict(ast.literal_eval("{" + ", ".join(lines) + "}"))
    wanted = {**ONE, **pasted, "ollama_adopt": True}
    run = fleet.apply("lab-1", **wanted)
    assert run.code == 0, run.said
    environment = observe.environment(clean)
    assert {name for name, value in theirs.items() if not same(name, environment.get(name), value)} == set()
    settled(**wanted)


@pytest.mark.soak
def test_a_drop_in_that_says_the_same_in_another_way_is_left_alone(serving: Host) -> None:
    mine = "/etc/systemd/system/ollama.service.d/90-mine.conf"
    line = "Environment=" + shlex.quote("OLLAMA_HOST=http://0.0.0.0:11434/")
    serving.run(
        f"printf '[Service]\\n%s\\n' {shlex.quote(line)} > {mine}; systemctl daemon-reload; systemctl restart ollama"
    )
    serving.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done", timeout=20)
    before = observe.process(serving)

    code, document = fleet.fleethands("plan", **QUIET)

    assert (code, fleet.changes(document)) == (0, []), document
    assert observe.process(serving) == before


@pytest.mark.soak
def test_a_gpu_that_carries_no_model_is_noted(serving: Host) -> None:
    """There is no GPU here: what nvidia-smi says is from tests/fixtures, and the model lies in main memory."""
    words = (FIXTURES / "nvidia-smi-unified.csv").read_text()
    script = f"#!/bin/sh\ncat <<'.'\n{words}.\n"
    serving.run("cat > /usr/local/bin/nvidia-smi; chmod 755 /usr/local/bin/nvidia-smi", stdin=script)

    run = fleet.apply("lab-1", **QUIET)

    assert run.code == 0, run.said
    assert "gpu-memory" in [link.name for link in observe.proof(serving)]
    code, document = fleet.fleethands("status", **QUIET)
    told = document["hosts"]["lab-1"]
    assert (code, [note for note in told["notes"] if "a model lies in main memory all the same" in note] != []) == (
        0,
        True,
    )
    settled(**QUIET)
    meant = {**QUIET, "gpu": False}
    assert fleet.apply("lab-1", **meant).code == 0
    assert not any("main memory" in note for note in fleet.fleethands("status", **meant)[1]["hosts"]["lab-1"]["notes"])
