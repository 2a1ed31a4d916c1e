"""The collector of metrics on recorded answers, broken ones and hostile ones."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time

import pytest

from tests.helpers.promtool import promtool
from tests.unit.operations.metrics.collector import TINY, Collector, StandInOllama, value

SPEED = json.dumps({"model": "codellama:7b", "tokens_per_second": 41.5, "first_token_seconds": 0.25})
SMI = "0, NVIDIA H200, 570.1, 143771, 1024, 41, 30\n1, NVIDIA H200, 570.1, [N/A], [N/A], [Not Supported], [N/A]"


def test_a_healthy_host(collector: Collector) -> None:
    collector.proof.write_text(f"list\tok\t12\twords\nspeed\tok\t900\twords\t\t{SPEED}\n")
    collector.stand_in("nvidia-smi", f"cat <<'E'\n{SMI}\nE")

    found = collector.collect()

    assert value(found, "fleethands_info", version="1.0.0") == 1
    assert value(found, "fleethands_ollama_info", declared="0.24.0", running="0.24.0") == 1
    assert value(found, "fleethands_ollama_up") == 1
    assert value(found, "fleethands_model_present", model="Other:latest") == 1
    assert value(found, "fleethands_model_loaded", model="Other:latest") == 0
    assert value(found, "fleethands_model_vram_bytes", model="codellama:7b") == 1200
    assert [value(found, "fleethands_drift", kind=kind) for kind in ("version", "models", "files")] == [0, 0, 0]
    assert value(found, "fleethands_gpu_memory_total_bytes", gpu="0") == 143771 << 20
    assert value(found, "fleethands_gpu_memory_total_bytes", gpu="1") is None
    assert value(found, "fleethands_gpu_temperature_celsius", gpu="0") == 41
    assert value(found, "fleethands_gpu_utilization_ratio", gpu="0") == 0.3
    assert (value(found, "fleethands_models_disk_free_bytes") or 0) > 0
    assert value(found, "fleethands_proof_ok", link="speed") == 1
    assert value(found, "fleethands_proof_link_seconds", link="speed") == 0.9
    assert value(found, "fleethands_proof_time_seconds") == pytest.approx(time.time(), abs=60)
    assert value(found, "fleethands_proof_tokens_per_second", model="codellama:7b") == 41.5
    assert value(found, "fleethands_proof_first_token_seconds", model="codellama:7b") == 0.25
    parts = {dict(labels)["part"]: number for (name, labels), number in found.items() if name.endswith("part_ok")}
    assert parts == dict.fromkeys(("ollama", "drift", "disk", "gpu", "connections", "proof"), 1)


def test_promtool_accepts_the_metrics(collector: Collector) -> None:
    collector.proof.write_text("list\tok\t12\twords\n")
    collector.stand_in("nvidia-smi", f"cat <<'E'\n{SMI}\nE")
    collector.collect()

    assert promtool("check", "metrics", given=collector.text) == ""


def test_a_host_that_drifted(collector: Collector, ollama: StandInOllama) -> None:
    changed, same = collector.place / "unit", collector.place / "override"
    changed.write_text("changed")
    same.write_text("same")
    digest = hashlib.sha256(b"same").hexdigest()
    rows = f"{digest}  {changed}\n{digest}  {same}\n{digest}  {collector.place}/gone\n"
    (collector.place / "sums").write_text(rows)
    collector.declared += [("model", "codellama:13b"), ("model", f"other:latest {'c' * 64}")]
    ollama.answers["/api/version"] = {"version": "0.24.1"}

    found = collector.collect()

    assert value(found, "fleethands_drift", kind="version") == 1
    assert value(found, "fleethands_drift", kind="models") == 2
    assert value(found, "fleethands_drift", kind="files") == 2
    assert value(found, "fleethands_model_present", model="codellama:13b") == 0
    assert value(found, "fleethands_ollama_info", declared="0.24.0", running="0.24.1") == 1


def test_a_broken_link_and_no_proof(collector: Collector) -> None:
    assert not [name for name, _ in collector.collect() if "proof" in name]

    collector.proof.write_text("list\tok\t1\twords\ngenerate\tbroken\t9\twords\thint\n")
    found = collector.collect()
    assert [value(found, "fleethands_proof_ok", link=link) for link in ("list", "generate")] == [1, 0]

    collector.proof.write_text("nonsense\n")
    assert value(collector.collect(), "fleethands_metrics_part_ok", part="proof") == 0


def test_an_ollama_that_is_down(collector: Collector, ollama: StandInOllama) -> None:
    ollama.close()

    found = collector.collect()

    assert value(found, "fleethands_ollama_up") == 0
    assert value(found, "fleethands_ollama_info", declared="0.24.0", running="") == 1
    assert value(found, "fleethands_drift", kind="version") is None
    assert not [name for name, _ in found if name.startswith("fleethands_model_")]


def test_an_ollama_that_hangs_does_not_hang_the_collector(collector: Collector, ollama: StandInOllama) -> None:
    ollama.delay = 30

    begun = time.monotonic()
    found = collector.collect()

    assert time.monotonic() - begun < 15
    assert value(found, "fleethands_ollama_up") == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>", b"{", b'{"models":', b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        b'{"models":{"name":1}}', b'{"models":[1,null,"x"]}',
        b'{"models":[{"name":{}}]}', b"\xff\xfe\x00", b'{"models":[' + b'{"name":"' + b"\\" * 99999, b"[" * 200000,
    ],
)  # fmt: skip
def test_answers_that_no_ollama_gives(collector: Collector, ollama: StandInOllama, answer: bytes) -> None:
    ollama.answers |= {"/api/tags": answer, "/api/ps": answer}

    found = collector.collect()

    assert value(found, "fleethands_ollama_up") == 1
    assert value(found, "fleethands_metrics_part_ok", part="disk") == 1


def test_hostile_names_stay_labels_and_lists_stay_bounded(collector: Collector, ollama: StandInOllama) -> None:
    names = ['a"} 1\nfleethands_ollama_up 0', "b\\", "c\u2028d\u00e9", "\ud800x", "\x00\x1b[31m", "e" * 5000]
    rows = [{"name": name, "size": "1e999", "size_vram": -1} for name in names]
    many = [{"name": f"model-{number}", "size": number} for number in range(3000)]
    broken = b'{"models":[{"name":"\xff\xed\xa0\x80bytes","size":7}]}'
    ollama.answers |= {"/api/tags": {"models": rows + many}, "/api/ps": broken}
    collector.proof.write_bytes(b'bad"link\\\xff\tok\t1\twords\n')

    found = collector.collect()

    assert value(found, "fleethands_ollama_up") == 1
    assert len([name for name, _ in found if name == "fleethands_model_present"]) == 1000
    assert len(collector.text) < 2 << 20
    assert promtool("check", "metrics", given=collector.text) == ""
    ollama.answers["/api/tags"] = broken
    assert value(collector.collect(), "fleethands_model_size_bytes", model="????bytes") == 7


def test_an_nvidia_smi_that_hangs_is_ended(collector: Collector) -> None:
    collector.stand_in("nvidia-smi", "trap '' TERM; sleep 300 & wait; sleep 300")

    begun = time.monotonic()
    found = collector.collect()

    assert time.monotonic() - begun < 20
    assert value(found, "fleethands_metrics_part_ok", part="gpu") == 0
    assert value(found, "fleethands_ollama_up") == 1


def test_one_that_hangs_in_the_kernel_is_not_started_again(collector: Collector) -> None:
    collector.stand_in("nvidia-smi", f"echo started >>{collector.place}/starts; echo '{SMI}'")
    with subprocess.Popen(["sleep", "60"]) as process:
        (collector.programs / "sleep").symlink_to(collector.programs / "nvidia-smi")
        name = collector.programs / "nvidia-smi"
        (collector.state / "counts").write_text(f"stuck\t{name}\t{process.pid}\n")
        first = collector.collect()  # the process has another name by now, and the collector leaves it alone
        process.kill()
    assert value(first, "fleethands_metrics_part_ok", part="gpu") == 1
    assert (collector.place / "starts").read_text() == "started\n"


def test_a_gpu_counts_as_unreadable_only_where_one_is_declared(collector: Collector) -> None:
    (collector.programs / "nvidia-smi").unlink()
    assert value(collector.collect(), "fleethands_metrics_part_ok", part="gpu") == 1

    collector.declared.append(("gpu", "yes"))
    assert value(collector.collect(), "fleethands_metrics_part_ok", part="gpu") == 0


def test_the_end_of_the_certificate(collector: Collector) -> None:
    collector.declared += [("gateway_address", "127.0.0.1:8443"), ("gateway_port", 8443)]
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    collector.stand_in(
        "openssl", f"case $1 in s_client) echo '{pem}' ;; *) echo 'notAfter=Feb 29 01:02:03 2028 GMT' ;; esac"
    )
    collector.stand_in("journalctl", "exit 0")

    found = collector.collect()
    assert value(found, "fleethands_gateway_up") == 1
    assert value(found, "fleethands_gateway_certificate_end_seconds") == 1835398923

    collector.stand_in("openssl", "exit 1")
    assert value(collector.collect(), "fleethands_gateway_up") == 0


def test_declared_models_keep_their_spelling(collector: Collector, ollama: StandInOllama) -> None:
    ollama.answers["/api/tags"] = {"models": [{**TINY, "name": "CodeLlama:7B"}]}

    found = collector.collect()

    assert value(found, "fleethands_model_present", model="codellama:7b") == 1
    assert value(found, "fleethands_drift", kind="models") == 0
