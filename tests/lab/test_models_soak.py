"""The longer part of the models' life: every way in which a pull is cut, and what comes after a crash."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.internet.names import MODELS
from tests.lab.lab import Lab
from tests.lab.relay import Relay
from tests.lab.test_models import (
    BLOBS,
    PULL,
    apply,
    assert_settled,
    bytes_sent,
    digest,
    host,
    listed,
    size,
    slow,
    wait_for_bytes,
)

__all__ = ["host"]
pytestmark = pytest.mark.soak
BOTH = ("codellama:7b", "padded")


def begin() -> Any:
    return fleet.start("lab-1", openhands_flavor="off", models=list(BOTH))


def test_a_network_that_is_gone_for_a_while_costs_no_byte_twice(lab: Lab, host: Host) -> None:
    since = time.time()
    with slow(lab) as path:
        process = begin()
        wait_for_bytes(host)
        host.unplug()
        time.sleep(15)
        host.plug()
        process.wait(300)
        run = apply(*BOTH)

    assert run.code == 0, run.said
    assert listed(host)["padded:latest"] == digest(lab)
    assert bytes_sent(lab, since, path) <= 1.2 * size(lab)
    assert_settled(host, *BOTH)


def test_a_connection_that_is_cut_again_and_again_goes_on_where_it_was(lab: Lab, host: Host) -> None:
    since = time.time()
    with lab.internet.fault(Fault(cut=30_000_000, times=4), "model:padded") as (path,):
        run = apply(*BOTH)

    assert run.code == 0, run.said
    assert listed(host)["padded:latest"] == digest(lab)
    assert bytes_sent(lab, since, path) <= 1.2 * size(lab)
    assert_settled(host, *BOTH)


def test_a_restart_of_ollama_does_not_end_the_run(lab: Lab, host: Host) -> None:
    since = time.time()
    with slow(lab) as path:
        process = begin()
        wait_for_bytes(host, 30)
        host.run("systemctl restart ollama")
        code = process.wait(300)

    assert code == 0
    assert listed(host)["padded:latest"] == digest(lab)
    print(f"bytes: {bytes_sent(lab, since, path) / size(lab):.2f} x the model's size")
    assert_settled(host, *BOTH)


@pytest.mark.parametrize(("left", "worth"), [(60, 1.2), (0, 2.0)], ids=["nearly", "at once"])
def test_a_disk_that_fills_up_is_named_and_the_next_run_goes_on(lab: Lab, host: Host, left: int, worth: float) -> None:
    since = time.time()
    host.run("systemctl stop ollama")
    with host.out_of_disk(BLOBS, "600m"):
        host.run("systemctl start ollama")
        with slow(lab, 10_000_000) as path:
            process = begin()
            wait_for_bytes(host, 40)
            free = f"$(df -Pm {BLOBS} | awk 'NR == 2 {{ print $4 }}')"
            host.run(f"head -c $(({free} - {left}))M /dev/zero > {BLOBS}/filler", check=False)
            assert process.wait(300) == 1
            refused = apply(*BOTH)
        host.run(f"rm {BLOBS}/filler")
        run = apply(*BOTH)
        assert refused.code == 1
        assert "error: model padded:latest needs 3" in refused.said
        assert run.code == 0, run.said
        print(f"bytes: {bytes_sent(lab, since, path) / size(lab):.2f} x the model's size")
        assert bytes_sent(lab, since, path) <= worth * size(lab)  # a write that fails costs Ollama its part
        assert listed(host)["padded:latest"] == digest(lab)
        host.run("systemctl stop ollama")


def test_too_little_space_is_named_before_the_first_byte(lab: Lab, host: Host) -> None:
    since = time.time()
    host.run("systemctl stop ollama")
    with lab.internet.fault(Fault(times=1000), "model:padded") as (path,), host.out_of_disk(BLOBS, "300m"):
        run = apply(*BOTH)
        host.run("systemctl stop ollama")

    assert run.code == 1
    assert f"error: model padded:latest needs 371 MiB, {BLOBS} has " in run.said
    assert "hint: on the host: df -h" in run.said
    assert bytes_sent(lab, since, path) == 0


def test_part_files_that_ollama_cannot_read_are_healed(lab: Lab, host: Host) -> None:
    with slow(lab):
        process = begin()
        wait_for_bytes(host, 30)
        host.run("systemctl stop 'fleethands-pull-*'")
        process.wait(300)
    host.run(f"for file in {BLOBS}/*-partial-*; do : > $file; done; ls {BLOBS}/*-partial-0")
    assert '"error":"EOF"' in host.run('curl -sS localhost:11434/api/pull -d \'{"model": "padded"}\'').stdout

    run = apply(*BOTH)

    assert run.code == 0, run.said
    assert listed(host)["padded:latest"] == digest(lab)
    assert_settled(host, *BOTH)


def test_a_pull_that_was_killed_is_named_and_its_blobs_are_read_afterwards(lab: Lab, host: Host) -> None:
    with slow(lab):
        process = begin()
        wait_for_bytes(host)
        host.run("systemctl kill -s KILL 'fleethands-pull-*'")
        assert process.wait(300) == 1
    host.run("ollama pull padded >/dev/null 2>&1", timeout=120)  # as if the crash had come after the last byte
    spoil(host, lab)

    run = apply(*BOTH)

    assert run.code == 0, run.said
    assert sound(host, lab)
    assert_settled(host, *BOTH)


def test_a_broken_blob_is_found_when_asked_for_and_comes_anew(lab: Lab, host: Host) -> None:
    assert apply(*BOTH).code == 0
    spoil(host, lab)
    assert apply(*BOTH).changed("lab-1") == []  # no tag was checked

    code, found = verify(*BOTH)

    assert code == 1
    assert {name: ok for name, ok, _ in found if name.startswith("blobs")} == {
        "blobs codellama:7b": True,
        "blobs padded:latest": False,
    }
    assert "fleethands apply" in next(hint for name, _, hint in found if name == "blobs padded:latest")
    assert PULL in apply(*BOTH).changed("lab-1")
    assert sound(host, lab)
    code, found = verify(*BOTH)
    assert code == 0, found
    assert_settled(host, *BOTH)


def test_blobs_are_read_wherever_they_lie_and_however_the_model_is_spelled(lab: Lab, host: Host) -> None:
    moved: dict[str, Any] = {"ollama_models_dir": "/srv/a|b"}
    assert apply("codellama:7b", **moved).code == 0
    host.run("cd '/srv/a|b/blobs' && printf x | dd of=$(ls -S | head -n 1) bs=1 seek=9000 conv=notrunc status=none")

    code, found = verify("CodeLlama:7B", **moved)

    assert (code, [ok for name, ok, _ in found if name.startswith("blobs")]) == (1, [False])
    run = apply("codellama:7b", **moved)  # its registry knows it by this name alone
    assert run.code == 0, run.said
    assert PULL in run.changed("lab-1")
    code, found = verify("CodeLlama:7B", **moved)
    assert (code, [ok for name, ok, _ in found if name.startswith("blobs")]) == (0, [True])
    assert_settled(host, "CodeLlama:7B", **moved)


def test_an_authority_that_the_host_does_not_know_is_named(lab: Lab, host: Host) -> None:
    store = "/usr/local/share/ca-certificates"
    host.run(f"mv {store} {store}-away && mkdir {store} && update-ca-certificates --fresh && systemctl restart ollama")

    refused = apply(*BOTH)

    assert refused.code == 1
    assert "error: pull of padded:latest ended early: " in refused.said
    assert "x509: certificate signed by unknown authority" in refused.said
    assert "hint: put the registry's authority into the host's store: " in refused.said
    host.run(f"rmdir {store} && mv {store}-away {store} && update-ca-certificates && systemctl restart ollama")
    run = apply(*BOTH)
    assert run.code == 0, run.said
    assert listed(host)["padded:latest"] == digest(lab)
    assert_settled(host, *BOTH)


def verify(*models: str, **data: Any) -> tuple[int, list[tuple[str, bool, str]]]:
    """Exit code, and name, verdict and hint of each link."""
    code, done = fleet.fleethands("verify", "--checksums", openhands_flavor="off", models=list(models), **data)
    return code, [(link["link"], link["ok"], link["hint"]) for link in done["hosts"]["lab-1"]["proof"]]


def weights(lab: Lab) -> str:
    manifest = lab.internet.registry.manifest("library/padded", "latest")
    assert manifest is not None
    layers = json.loads(manifest)["layers"]
    return f"{BLOBS}/" + str(max(layers, key=lambda layer: layer["size"])["digest"]).replace(":", "-")


def spoil(host: Host, lab: Lab) -> None:
    host.run(f"printf x | dd of={weights(lab)} bs=1 seek=60000000 conv=notrunc status=none")


def sound(host: Host, lab: Lab) -> bool:
    file = weights(lab)
    return host.run(f"sha256sum {file}").stdout.split()[0] == file.rpartition("-")[2]


def test_a_registry_of_one_s_own_without_tls(lab: Lab, host: Host) -> None:
    with Relay(lab.gateway, lab.internet.registry.socket).open() as relay:
        name = f"{lab.gateway}:{relay.port}/library/codellama:7b"
        model = {"name": name, "insecure": True, "digest": digest(lab, "codellama", "7b")}
        refused = apply({"name": f"{lab.gateway}:{relay.port}/library/codellama:7b-instruct"})
        run = apply(model)

        assert refused.code == 1
        assert "insecure: true" in refused.said
        assert run.code == 0, run.said
        assert name in listed(host)
        assert_settled(host, model)


def test_a_proxy_of_ollama_s_is_asked_for_all_that_a_pull_needs(lab: Lab, host: Host) -> None:
    with Relay(lab.gateway, (lab.internet.address, 443), proxy=True).open() as relay:
        proxy = {"HTTPS_PROXY": f"http://{lab.gateway}:{relay.port}"}
        since = time.time()
        run = apply(*BOTH, ollama_env=proxy)

        assert run.code == 0, run.said
        assert f"CONNECT {MODELS}:443 HTTP/1.1" in relay.asked
        clients = {request.client for request in lab.internet.requests(since) if "padded" in request.path}
        assert clients == {lab.gateway}
        assert_settled(host, *BOTH, ollama_env=proxy)


def test_a_model_under_another_name_is_copied(lab: Lab, host: Host) -> None:
    renamed = {"name": "mine:v1", "digest": digest(lab, "codellama", "7b")}
    since = time.time()

    run = apply(renamed)

    assert run.code == 0, run.said
    assert listed(host)["mine:v1"] == listed(host)["codellama:7b"]
    sent = [each for each in lab.internet.requests(since) if each.status != 404]  # a plan asks for what is not there
    assert sent == []
    assert_settled(host, renamed)


def test_a_model_is_made_from_its_modelfile_and_again_when_that_changes(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "Modelfile"
    file.write_text('FROM codellama:7b\nPARAMETER num_ctx 4096\nSYSTEM """Say "OK".\nFROM nowhere"""\n')
    mine = {"name": "mine", "modelfile": str(file)}
    derived = tmp_path / "Derived"
    derived.write_text("FROM mine\nPARAMETER temperature 0\n")
    models: list[str | dict[str, Any]] = [{"name": "derived", "modelfile": str(derived)}, mine]

    assert apply(*models).code == 0  # codellama comes because `mine` starts from it
    first = listed(host)
    assert_settled(host, *models)
    file.write_text(file.read_text().replace("4096", "8192"))
    assert apply(*models).changed("lab-1")[0] == "Models | Create models from Modelfiles"

    now = listed(host)
    assert {name for name in now if now[name] != first[name]} == {"mine:latest", "derived:latest"}
    assert "num_ctx                        8192" in host.run("ollama show --parameters mine").stdout
    assert_settled(host, *models)
    host.run("ollama cp codellama:7b mine")
    assert apply(*models).changed("lab-1")[0] == "Models | Create models from Modelfiles"
    assert_settled(host, *models)


RELOADED = "until test -f /run/fleethands/preloaded; do sleep 0.1; done"


def loaded_models(host: Host) -> set[str]:
    return {model["name"] for model in json.loads(host.run("curl -fsS localhost:11434/api/ps").stdout)["models"]}


def test_a_preloaded_model_is_there_from_ollama_s_start(host: Host) -> None:
    model = {"name": "codellama:7b", "preload": True}
    assert apply(model).code == 0
    assert_settled(host, model)

    for trouble in ("systemctl restart ollama", "systemctl kill -s KILL ollama"):
        host.run(f"rm /run/fleethands/preloaded; {trouble}")
        host.run(RELOADED)
        assert loaded_models(host) == {"codellama:7b"}
    host.reboot()
    host.run(RELOADED)
    assert_settled(host, model)

    host.run("systemctl disable --quiet fleethands-preload; systemctl restart ollama")
    assert apply(model).changed("lab-1")[0] == "Models | Load at Ollama's start"
    assert loaded_models(host) == {"codellama:7b"}
    assert apply("codellama:7b").changed("lab-1")[0] == "Models | Load at Ollama's start"
    assert host.run("ls /etc/systemd/system/fleethands-preload.service", check=False).returncode != 0
    assert_settled(host, "codellama:7b")


def test_only_what_is_not_listed_is_pruned_and_only_when_asked_for(host: Host) -> None:
    host.run("ollama cp codellama:7b team/foreign:v1; ollama cp codellama:7b codellama:7b-mine")
    assert apply("codellama:7b").changed("lab-1") == []
    assert len(listed(host)) == 3

    run = apply("codellama:7b", models_prune=True)

    assert run.code == 0, run.said
    assert run.changed("lab-1")[0] == "Models | Remove what is not listed"
    assert set(listed(host)) == {"codellama:7b"}
    assert_settled(host, "codellama:7b", models_prune=True)


def test_a_killed_controller_holds_the_host_for_seconds_while_its_pull_goes_on(lab: Lab, host: Host) -> None:
    with slow(lab, 4_000_000):
        process = begin()
        wait_for_bytes(host)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        host.run("timeout 15 flock /run/fleethands/lock.step systemctl is-active 'fleethands-pull-*'", timeout=30)
        said = host.run("until cat /run/fleethands/fleethands-pull-*/said | grep .; do sleep 0.1; done").stdout
        run = apply(*BOTH)

    assert re.search(r"^progress: model padded:latest \d+/\d+ bytes$", said, re.M), said
    assert run.code == 0, run.said
    assert_settled(host, *BOTH)
