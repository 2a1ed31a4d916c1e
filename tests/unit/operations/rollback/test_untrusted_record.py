"""A release record on a host is untrusted data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fleethands import paths
from fleethands.facts.files import File
from fleethands.operations.core import provenance, release_record
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.ollama import release
from fleethands.operations.rollback import rollback
from fleethands.settings import HostSettings, Secret
from tests.helpers.release_records import CURRENT, probe_with_files, render_record
from tests.hosts import bare, declared


def render_changed_record(**declared_: Any) -> str:
    row = json.loads(render_record(CURRENT))
    return json.dumps({**row, "declared": {**row["declared"], **declared_}})


def test_a_record_that_names_a_file_of_the_controller_is_refused_and_the_file_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("hunter2")
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("a file was read"))
    place = {"secret": "file", "place": str(canary)}

    way = rollback.find_target(
        declared(),
        probe_with_files(**{paths.CURRENT_RECORD: render_changed_record(ollama_env={"OLLAMA_API_KEY": place})}),
    )

    assert way.settings == declared()
    assert way.problem is not None
    assert way.problem.reason == (
        f"the record of 2026-11-25 17:02 UTC by {provenance.user_at_controller()} names Secret.file('{canary}') for "
        "`ollama_env.OLLAMA_API_KEY`, which the inventory does not declare for this host: nothing of it was read"
    )
    assert way.problem.hints[1] == "on this machine: fleethands apply"


@pytest.mark.parametrize(
    ("today", "wanted"),
    [
        ({}, ("host", "https://github.com/ollama/ollama/releases/download")),
        (
            {"ollama_transfer": "controller", "ollama_url": "https://mirror.example/o"},
            ("controller", "https://mirror.example/o"),
        ),
    ],
)
def test_what_the_controller_fetches_is_the_inventory_s_to_say(today: dict[str, str], wanted: tuple[str, str]) -> None:
    text = render_changed_record(ollama_transfer="controller", ollama_url="file:///etc", ollama_keep_alive="1m")

    way = rollback.find_target(declared(**today), probe_with_files(**{paths.CURRENT_RECORD: text}))

    assert way.problem is None
    assert (way.settings_to_apply.ollama_transfer, way.settings_to_apply.ollama_url) == wanted
    assert way.settings_to_apply.ollama_keep_alive == "1m"


def test_where_a_host_fetches_by_itself_is_its_record_s_to_say() -> None:
    way = rollback.find_target(
        declared(),
        probe_with_files(**{paths.CURRENT_RECORD: render_changed_record(ollama_url="https://old.example/o")}),
    )

    assert way.settings_to_apply.ollama_url == "https://old.example/o"


BOMBS: dict[str, str] = {
    "deep": '{"schema": 1, "declared": ' + "[" * 60_000,
    "deep enough for Python": json.dumps(
        {**json.loads(render_record(CURRENT)), "declared": json.loads("[" * 500 + "]" * 500)}
    ),
    "infinite": render_record(CURRENT).replace('"models_prune": true', '"models_prune": 1e999'),
    "digits": render_record(CURRENT).replace('"models_prune": true', '"models_prune": ' + "9" * 5000),
    "keys": json.dumps({**json.loads(render_record(CURRENT)), "declared": {f"ollama_{n}": n for n in range(3000)}}),
    "long": render_record(CURRENT).replace('"by": "', '"by": "' + "a" * (1 << 17)),
    "not utf-8": render_record(CURRENT).replace('"by": "', '"by": "\udcff'),
    "escapes": render_record(CURRENT).replace('"by": "', '"by": "\\u001b[2J'),
    "turned text": render_record(CURRENT).replace('"by": "', '"by": "\\u202e'),
    "a list for a word": render_record(CURRENT).replace('"by": "', '"by": ["x"], "and": "'),
    "no image": render_record(CURRENT).replace('"image": {', '"image": 5, "x": {'),
    "an infinite version": render_record(CURRENT).replace(
        '"versions": {"ollama": "0.24.0"', '"versions": {"ollama": 1e999'
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_record_that_is_none_is_one_that_can_t_be_read(name: str) -> None:
    content = BOMBS[name].encode(errors="surrogateescape")
    seen = bare().with_file(paths.CURRENT_RECORD, File("file", "0600", content=content))

    way = rollback.find_target(declared(), seen)

    assert way.problem is not None
    assert way.problem.reason == f"its record {paths.CURRENT_RECORD} can't be read"
    json.dumps(seen.to_json(), allow_nan=False)
    assert release_record.new_record(declared(), seen).shift == "first"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
places = st.fixed_dictionaries({"secret": st.sampled_from(["env", "file"]), "place": st.sampled_from(["HOME", "/etc"])})


@profile(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(HostSettings.model_fields)),
        json_values | st.dictionaries(st.sampled_from(["OLLAMA_API_KEY", "TOKEN"]), json_values | places),
        max_size=4,
    ),
    json_values,
    st.text(),
)
def test_no_record_reads_anything_or_ends_in_anything_but_an_answer(
    declared_: dict[str, Any], versions: Any, by: str
) -> None:
    row = json.loads(render_record(CURRENT))
    row = {**row, "declared": {**row["declared"], **declared_}, "by": by}
    for text in (row, {**row, "versions": versions}, {**row, "declared": versions}):
        seen = probe_with_files(**{paths.CURRENT_RECORD: json.dumps(text)})
        way = rollback.find_target(declared(), seen)
        secrets = [*way.settings.ollama_env.values(), *way.settings.openhands_env.values()]
        assert not [each for each in secrets if isinstance(each, Secret)]
        assert all(model.modelfile is None for model in way.settings.models)
        assert isinstance(rollback.check_target.decide(way.settings_to_apply, seen, way), Unchanged | Refused)
        assert isinstance(release._recorded_releases(seen.replace(releases={})), list)
