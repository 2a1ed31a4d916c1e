"""The dashboard for Grafana: each query is PromQL, and asks for metrics that a host really has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from fleethands.dashboards import dashboard_files
from fleethands.operations.metrics import programs
from tests.helpers.promtool import promtool

DASHBOARD: dict[str, Any] = json.loads(dashboard_files()["grafana-dashboard.json"])
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel.get("targets", [])]
LISTS = [each["definition"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
SUFFIXES = ("_bucket", "_sum", "_count")
HEAD = {"uid": "fleethands", "title": "fleethands", "schemaVersion": 39, "editable": True}
KINDS = {"row", "stat", "table", "timeseries"}


def test_the_dashboard_has_the_form_that_grafana_loads() -> None:
    assert HEAD.items() <= DASHBOARD.items()
    assert "id" not in DASHBOARD, "Grafana gives an id to what it imports"
    assert [each["id"] for each in PANELS] == [*range(1, len(PANELS) + 1)]
    for panel in PANELS:
        assert panel["type"] in KINDS
        assert panel["title"]
        assert panel["type"] == "row" or (panel["description"] and panel["targets"])
        assert panel.get("datasource", {"uid": "${datasource}"})["uid"] == "${datasource}"
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert letters == [*"ABCDEFGH"][: len(letters)]


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in PANELS):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_queries_use_metrics_that_hosts_have() -> None:
    named = {name for query in (*QUERIES, *LISTS) for name in re.findall(r"\bfleethands_[a-z_]+", query)}
    bases = {name.removesuffix(suffix) for name in named for suffix in SUFFIXES if name.endswith(suffix)}
    known = set(programs.families())

    assert {
        name for name in named if name not in known and not {name.removesuffix(each) for each in SUFFIXES} & known
    } == set()
    assert len((named | bases) & known) > 15


def test_every_query_is_promql(tmp_path: Path) -> None:
    values = {"$instance": ".*", "$client": ".*", "$__rate_interval": "5m"}
    texts = [re.sub(r"\$\w+", lambda match: values[match[0]], query) for query in QUERIES]
    rules = [{"record": f"query_{number}", "expr": text} for number, text in enumerate(texts)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    assert "SUCCESS" in promtool("check", "rules", "--lint=none", tmp_path / "queries.yml")


def test_hosts_and_clients_can_be_chosen() -> None:
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "instance", "client"]
    assert all("$instance" in query for query in QUERIES)
