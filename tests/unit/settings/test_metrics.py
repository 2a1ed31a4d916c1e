"""Settings of the metrics: what is refused, and what a rollback keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands.settings.gateway import only_watchers
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.serialize import from_json, to_json
from tests.helpers.gateways import gateway_data, mistakes
from tests.hosts import declared

TOKENS = {"alice": "alice-" + "a" * 30, "prometheus": "prometheus-" + "p" * 30}
WATCHED = {"metrics": True, "gateway_watchers": ["prometheus"]}


def test_a_watcher_beside_other_clients_is_accepted(tmp_path: Path) -> None:
    data = gateway_data(tmp_path, TOKENS, **WATCHED)

    assert mistakes(data) == []
    assert only_watchers(read_fleet({"host": data}, Lockfile())["host"]) == ("prometheus",)
    both = {**data, "gateway_managers": ["prometheus"]}
    assert only_watchers(read_fleet({"host": both}, Lockfile())["host"]) == ()
    assert mistakes({**data, "gateway": None, "metrics": False}) == []  # the rest may be a group's


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"gateway_watchers": ["bob"]}, "gateway_watchers.0: expected a name of `gateway_tokens` (`alice`, "),
        ({"gateway_watchers": ["Bob"]}, "gateway_watchers.0: expected a client's name"),
        ({"metrics": False}, "gateway_watchers: expected only with `metrics`"),
        ({"gateway_watchers": ["alice", "prometheus"]}, "gateway_tokens: expected at least one client that is not in"),
        ({"metrics_textfile": "prometheus"}, "metrics_textfile: expected an absolute path"),
        ({"metrics": "always"}, "metrics: expected True or False"),
        ({"metrics_textfiles": "/srv/x"}, "metrics_textfiles: "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path: Path, more: dict[str, Any], found: str) -> None:
    said = mistakes(gateway_data(tmp_path, TOKENS, **{**WATCHED, **more}))

    assert len(said) == 1, said
    assert said[0].startswith(found)


def test_a_rollback_keeps_todays_metrics() -> None:
    then, today = (
        declared(metrics=True, metrics_textfile="/srv/old"),
        declared(metrics=True, metrics_textfile="/srv/new"),
    )

    assert not [key for key in to_json(then) if "metrics" in key or "watchers" in key]
    back = read_fleet({"host": from_json(to_json(then), today)}, Lockfile())["host"]
    assert (back.metrics, str(back.metrics_textfile)) == (True, "/srv/new")
