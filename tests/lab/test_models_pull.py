"""Pulls that are cut, run out of disk space or are killed continue, or fail with the cause."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.lab import Lab
from tests.lab.model_pulls import (
    BLOBS,
    TWO_MODELS,
    apply_models,
    assert_settled,
    count_sent_bytes,
    find_digest,
    find_size,
    limit_rate,
    list_models,
    start_apply,
    wait_for_bytes,
)

HEADER = 65536  # bytes that a plan reads of a model's file
pytestmark = pytest.mark.soak


def test_a_network_that_is_gone_for_a_while_costs_no_byte_twice(lab: Lab, serving: Host) -> None:
    since = time.time()
    with limit_rate(lab) as path:
        process = start_apply()
        wait_for_bytes(serving)
        serving.unplug()
        time.sleep(15)
        serving.plug()
        process.wait(300)
        run = apply_models(*TWO_MODELS)

    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert count_sent_bytes(lab, since, path) <= 1.2 * find_size(lab)
    assert_settled(serving, *TWO_MODELS)


def test_a_connection_that_is_cut_again_and_again_goes_on_where_it_was(lab: Lab, serving: Host) -> None:
    since = time.time()
    with lab.internet.fault(Fault(cut=30_000_000, times=4), "model:padded") as (path,):
        run = apply_models(*TWO_MODELS)

    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert count_sent_bytes(lab, since, path) <= 1.2 * find_size(lab)
    assert_settled(serving, *TWO_MODELS)


def test_a_restart_of_ollama_does_not_end_the_run(lab: Lab, serving: Host) -> None:
    since = time.time()
    with limit_rate(lab) as path:
        process = start_apply()
        wait_for_bytes(serving, 30)
        serving.run("systemctl restart ollama")
        code = process.wait(300)

    assert code == 0
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    print(f"bytes: {count_sent_bytes(lab, since, path) / find_size(lab):.2f} x the model's size")
    assert_settled(serving, *TWO_MODELS)


@pytest.mark.parametrize(("left", "worth"), [(60, 1.2), (0, 2.0)], ids=["nearly", "at once"])
def test_a_disk_that_fills_up_is_named_and_the_next_run_goes_on(
    lab: Lab, serving: Host, left: int, worth: float
) -> None:
    since = time.time()
    serving.run("systemctl stop ollama")
    with serving.out_of_disk(BLOBS, "600m"):
        serving.run("systemctl start ollama")
        with limit_rate(lab, 10_000_000) as path:
            process = start_apply()
            wait_for_bytes(serving, 40)
            free = f"$(df -Pm {BLOBS} | awk 'NR == 2 {{ print $4 }}')"
            serving.run(f"head -c $(({free} - {left}))M /dev/zero > {BLOBS}/filler", check=False)
            assert process.wait(300) == 1
            refused = apply_models(*TWO_MODELS)
        serving.run(f"rm {BLOBS}/filler")
        run = apply_models(*TWO_MODELS)
        assert refused.code == 1
        assert "error: model padded:latest needs 3" in refused.said
        assert run.code == 0, run.said
        print(f"bytes: {count_sent_bytes(lab, since, path) / find_size(lab):.2f} x the model's size")
        assert count_sent_bytes(lab, since, path) <= worth * find_size(lab)  # a write that fails costs Ollama its part
        assert list_models(serving)["padded:latest"] == find_digest(lab)
        serving.run("systemctl stop ollama")


def test_too_little_space_is_named_before_the_first_byte(lab: Lab, serving: Host) -> None:
    since = time.time()
    serving.run("systemctl stop ollama")
    with lab.internet.fault(Fault(times=1000), "model:padded") as (path,), serving.out_of_disk(BLOBS, "300m"):
        run = apply_models(*TWO_MODELS)
        serving.run("systemctl stop ollama")

    assert run.code == 1
    assert f"error: model padded:latest needs 371 MiB, {BLOBS} has " in run.said
    assert "hint: on the host: df -h" in run.said
    assert count_sent_bytes(lab, since, path) <= 2 * HEADER


def test_part_files_that_ollama_cannot_read_are_healed(lab: Lab, serving: Host) -> None:
    with limit_rate(lab):
        process = start_apply()
        wait_for_bytes(serving, 30)
        serving.run("systemctl stop 'fleethands-pull-*'")
        process.wait(300)
    serving.run(f"for file in {BLOBS}/*-partial-*; do : > $file; done; ls {BLOBS}/*-partial-0")
    assert '"error":"EOF"' in serving.run('curl -sS localhost:11434/api/pull -d \'{"model": "padded"}\'').stdout

    run = apply_models(*TWO_MODELS)

    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert_settled(serving, *TWO_MODELS)


def test_a_killed_controller_holds_the_host_for_seconds_while_its_pull_goes_on(lab: Lab, serving: Host) -> None:
    with limit_rate(lab, 4_000_000):
        process = start_apply()
        wait_for_bytes(serving)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        serving.run("timeout 15 flock /run/fleethands/lock.step systemctl is-active 'fleethands-pull-*'", timeout=30)
        said = serving.run("until cat /run/fleethands/fleethands-pull-*/said | grep .; do sleep 0.1; done").stdout
        run = apply_models(*TWO_MODELS)

    assert re.search(r"^progress: model padded:latest \d+/\d+ bytes$", said, re.M), said
    assert run.code == 0, run.said
    assert_settled(serving, *TWO_MODELS)
