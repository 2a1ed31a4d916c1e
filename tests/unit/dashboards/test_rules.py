"""Each alert rule fires on its broken way, and ends after it. Debian's promtool runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from fleethands.cli.interface import cli
from fleethands.dashboards import dashboard_files
from fleethands.operations.metrics import programs
from tests.helpers.promtool import promtool

TEXT = dashboard_files()["prometheus-rules.yml"].decode()
RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in yaml.safe_load(TEXT)["groups"][0]["rules"]}
WHO = 'instance="gpu-1",job="fleethands"'
DAY, STEP = 86400, 60  # seconds; a sample a minute
# alert → series (name and labels, values while broken, values afterwards), and minutes for both. `_` is no sample.
BROKEN = {
    "FleethandsHostGone": ([(f"fleethands_metrics_time_seconds{{{WHO}}}", "1x5 _x20", "1x20")], 25, 20),
    "FleethandsMetricsOld": ([(f"fleethands_metrics_time_seconds{{{WHO}}}", "0x20", "1200+60x20")], 20, 20),
    "FleethandsMetricsIncomplete": ([(f'fleethands_metrics_part_ok{{{WHO},part="gpu"}}', "0x30", "1x20")], 30, 20),
    "FleethandsOllamaDown": ([(f"fleethands_ollama_up{{{WHO}}}", "0x10", "1x10")], 10, 10),
    "FleethandsProofFailed": ([(f'fleethands_proof_ok{{{WHO},link="generate"}}', "0x10", "1x10")], 10, 10),
    "FleethandsProofMissing": (
        [
            (f'fleethands_model_present{{{WHO},model="a"}}', "1x90", "1x20"),
            (f"fleethands_proof_time_seconds{{{WHO}}}", "_x90", "5400x20"),
        ],
        90, 20,
    ),
    "FleethandsProofOld": ([(f"fleethands_proof_time_seconds{{{WHO}}}", f"{-31 * DAY}x90", "5400x20")], 90, 20),
    "FleethandsSentinelBroken": ([(f"fleethands_sentinel_ok{{{WHO}}}", "0x10", "1x10")], 10, 10),
    "FleethandsSentinelSilent": ([(f"fleethands_sentinel_time_seconds{{{WHO}}}", f"{-3 * DAY}x90", "5400x20")], 90, 20),
    "FleethandsDrift": ([(f'fleethands_drift{{{WHO},kind="version"}}', "1x20", "0x20")], 20, 20),
    "FleethandsDiskNearlyFull": (
        [
            (f"fleethands_models_disk_free_bytes{{{WHO}}}", "5x20", "50x20"),
            (f"fleethands_models_disk_size_bytes{{{WHO}}}", "100x20", "100x20"),
        ],
        20, 20,
    ),
    "FleethandsGpuHot": ([(f'fleethands_gpu_temperature_celsius{{{WHO},gpu="0"}}', "95x10", "70x10")], 10, 10),
    "FleethandsGatewayDown": ([(f"fleethands_gateway_up{{{WHO}}}", "0x10", "1x10")], 10, 10),
    "FleethandsCertificateEnds": (
        [(f"fleethands_gateway_certificate_end_seconds{{{WHO}}}", f"{DAY}x90", f"{90 * DAY}x20")], 90, 20,
    ),
    "FleethandsGatewayErrors": (
        [
            (f'fleethands_gateway_requests_total{{{WHO},client="a",model="b",status="200"}}', "0+60x20", "1200+60x20"),
            (f'fleethands_gateway_requests_total{{{WHO},client="a",model="b",status="502"}}', "0+60x20", "1200x20"),
        ],
        20, 20,
    ),
}  # fmt: skip


def test_every_alert_is_tried() -> None:
    assert list(BROKEN) == list(RULES)


def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(TEXT)

    assert f"{len(RULES)} rules found" in promtool("check", "rules", tmp_path / "rules.yml")


@pytest.mark.parametrize("alert", BROKEN)
def test_an_alert_fires_and_ends(alert: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(TEXT)
    series, broken, well = BROKEN[alert]
    test = {
        "interval": f"{STEP}s",
        "input_series": [{"series": name, "values": f"{bad} {good}"} for name, bad, good in series],
        "promql_expr_test": [count_firing(alert, broken - 1, 1), count_firing(alert, broken + well, 0)],
    }
    rules = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(rules))

    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


def count_firing(alert: str, minute: int, count: int) -> dict[str, Any]:
    """At that minute, as many alerts of this name fire. The host is in their labels."""
    expression = f'count by (alertname, instance) (ALERTS{{alertstate="firing",alertname="{alert}"}})'
    labels = f'{{alertname="{alert}",instance="gpu-1"}}'
    return {
        "expr": expression,
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": labels, "value": count}] if count else [],
    }


def test_a_host_that_prometheus_never_reached_is_gone_too(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(TEXT)
    test = {
        "interval": "1m",
        "input_series": [{"series": f"up{{{WHO}}}", "values": "0x10"}],
        "promql_expr_test": [count_firing("FleethandsHostGone", 9, 1)],
    }
    rules = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(rules))

    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


def test_rules_use_metrics_that_hosts_have() -> None:
    named = set(re.findall(r"\bfleethands_[a-z_]+", TEXT))

    assert named <= set(programs.families())


@pytest.mark.parametrize("alert", RULES)
def test_each_alert_has_words_and_a_command_that_the_program_takes(alert: str) -> None:
    notes = RULES[alert]["annotations"]
    program, *words = notes["command"].replace("{{ $labels.instance }}", "gpu-1").split()

    assert program == "fleethands"
    assert set(notes) == {"summary", "description", "command"}
    assert "{{ $labels.instance }}" in notes["summary"]
    command: Any = cli
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("fleethands", words, resilient_parsing=False)
