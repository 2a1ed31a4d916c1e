"""docs/guides/metrics.md lists every metric and every alert."""

from __future__ import annotations

import re

import yaml

from fleethands.dashboards import dashboard_files
from fleethands.operations.metrics import programs
from tests.helpers.checkout import ROOT

PAGE = (ROOT / "docs/guides/metrics.md").read_text()


def test_the_table_has_every_metric_with_its_help() -> None:
    rows = re.findall(r"^\| `(fleethands_\w+)` \| (\w+) \| .* \| (.*) \|$", PAGE, re.MULTILINE)

    assert {name: (kind, words) for name, kind, words in rows} == programs.families()


def test_every_alert_is_explained() -> None:
    rules = yaml.safe_load(dashboard_files()["prometheus-rules.yml"])["groups"][0]["rules"]

    assert set(re.findall(r"`(Fleethands\w+)`", PAGE)) == {rule["alert"] for rule in rules}
