"""Which release record a host goes back to, and why not."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fleethands import paths
from fleethands.facts import Probe, docker
from fleethands.facts.docker import Container, Docker
from fleethands.facts.files import File
from fleethands.facts.record import Record
from fleethands.operations.core import provenance, release_record
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.ollama import release
from fleethands.operations.rollback import rollback
from fleethands.settings import HostSettings, Secret
from fleethands.settings.values.images import at_digest
from tests.hosts import bare, declared

PROVEN = {paths.PROOF: "list\tok\t1\t\t\n"}
BROKEN = {paths.PROOF: "list\tbroken\t1\tno such model\t\n"}


def entry(settings: HostSettings, seen: Probe | None = None, **more: Any) -> str:
    """A record's text, as the proof's script writes it."""
    row = release_record.new_record(settings, seen or bare(settings))
    return row.entry + f', "run": "r1", "time": "2026-11-25T17:02:11Z"{"".join(more.values())}}}'


def host(**files: str) -> Probe:
    seen = bare()
    for path, content in files.items():
        seen = seen.with_file(path, File("file", "0600", content=content.encode()))
    return seen


ID, DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64
CURRENT, PREVIOUS = declared(ollama_keep_alive="1m", models_prune=True), declared(ollama_keep_alive="2m")
RECORDS = {paths.CURRENT_RECORD: entry(CURRENT), paths.PREVIOUS_RECORD: entry(PREVIOUS)}


@pytest.mark.parametrize(
    ("proof", "wanted", "settings"),
    [
        (PROVEN, None, PREVIOUS),
        (BROKEN, None, CURRENT),
        ({}, None, CURRENT),
        (PROVEN, "current", CURRENT),
        (BROKEN, "previous", PREVIOUS),
    ],
)
def test_it_follows_from_what_is_proven(proof: dict[str, str], wanted: str | None, settings: HostSettings) -> None:
    way = rollback.find_target(declared(), host(**RECORDS, **proof), wanted)

    assert (way.problem, way.settings) == (None, settings)
    assert (way.settings_to_apply.models_prune, way.settings_to_apply.openhands_pull) == (False, "missing")
    assert str(way.record) == f"2026-11-25 17:02 UTC by {provenance.user_at_controller()}"


@pytest.mark.parametrize(
    ("files", "wanted", "reason", "hint"),
    [
        ({}, None, "the host has no current release record", "declare another release"),
        (
            {**PROVEN, paths.CURRENT_RECORD: entry(CURRENT)},
            None,
            "the host has no previous release record",
            "restore the current record instead: add `--to current`",
        ),
        (
            {paths.CURRENT_RECORD: "{"},
            None,
            f"its record {paths.CURRENT_RECORD} can't be read",
            "declare what is to be there",
        ),
        ({paths.CURRENT_RECORD: '{"schema": 2}'}, None, f"its record {paths.CURRENT_RECORD} can't be read", "declare"),
        (RECORDS, "first", "`fleethands_rollback_to`: expected `current` or `previous`, got `first`", ""),
    ],
)
def test_a_host_is_refused_with_the_reason(files: dict[str, str], wanted: str | None, reason: str, hint: str) -> None:
    way = rollback.find_target(declared(), host(**files), wanted)

    decision = rollback.check_target.decide(way.settings_to_apply, host(**files), way)
    assert isinstance(decision, Refused)
    assert decision.reason == reason
    assert "".join(decision.hints).startswith(hint)
    assert way.settings == declared()


def test_a_secret_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    today = declared(openhands_env={"TOKEN": Secret.env("MY_TOKEN")})
    text = entry(today)
    assert "hunter2" not in text
    monkeypatch.delenv("MY_TOKEN")

    way = rollback.find_target(today, host(**{paths.CURRENT_RECORD: text}))

    assert way.problem is not None
    assert way.problem.reason == (
        f"the record of 2026-11-25 17:02 UTC by {provenance.user_at_controller()} can't be applied from here: "
        "`openhands_env.TOKEN`: environment variable `MY_TOKEN` is not set"
    )


def test_records_that_moved_since_the_plan_are_refused() -> None:
    way = rollback.find_target(declared(), host(**RECORDS, **PROVEN))
    assert isinstance(rollback.check_target.decide(way.settings_to_apply, host(**RECORDS), way), Unchanged)

    moved = host(**{paths.CURRENT_RECORD: entry(declared()), paths.PREVIOUS_RECORD: entry(CURRENT)})

    assert isinstance(rollback.check_target.decide(way.settings_to_apply, moved, way), Refused)


def test_a_model_that_is_another_by_now_is_told() -> None:
    way = rollback.find_target(
        declared(),
        host(**{paths.CURRENT_RECORD: entry(CURRENT, bare().replace(models={"codellama:7b": "a" * 64}))}),
    )

    decision = rollback.check_target.decide(
        way.settings_to_apply, host(**{paths.CURRENT_RECORD: _text(way)}).replace(models={"codellama:7b": "b"}), way
    )

    assert decision.notes[1:] == (
        "codellama:7b is another model now: its tag moved, and Ollama keeps one model for each name",
    )


def _text(way: rollback.RollbackTarget) -> str:
    known = way.record
    return json.dumps({"schema": 1, **known.__dict__}) if known else ""


def test_a_record_says_what_runs_and_moves_the_others_only_for_something_new() -> None:
    container = Container("c1", "running", ID, {}, "")
    seen = bare().replace(docker=Docker(True, "26", container), models={"codellama:7b": "d1"})

    first = release_record.new_record(declared(), seen)

    known = Record.parse((first.entry + ', "run": "", "time": ""}').encode())
    assert known is not None
    assert known.versions == {
        "ollama": "0.24.0",
        "models": {"codellama:7b": "d1"},
        "image": {"name": declared().openhands_image, "id": ID},
    }
    assert first.shift == "first"
    again = seen.with_file(paths.CURRENT_RECORD, File("file", content=entry(declared(), seen).encode()))
    assert release_record.new_record(declared(), again).shift == "no"
    assert release_record.new_record(declared(ollama_keep_alive="1m"), again).shift == "yes"
    assert release_record.new_record(declared(), again.replace(models={"codellama:7b": "d2"})).shift == "yes"


PULL = f"on the host: docker pull {at_digest(declared().openhands_image, DIGEST)}"


@pytest.mark.parametrize(
    ("digests", "hints"),
    [
        ({DIGEST}, (PULL, "then run it again")),
        (set(), ("apply the inventory instead", "on this machine: fleethands apply")),
    ],
)
def test_a_host_whose_image_of_then_is_gone_is_refused(digests: set[str], hints: tuple[str, ...]) -> None:
    then = Docker(True, "26", Container("c1", "running", ID, {}, ""), ID, frozenset(digests))
    seen = host(**{paths.CURRENT_RECORD: entry(CURRENT, bare().replace(docker=then))})
    way = rollback.find_target(declared(), seen)

    there = rollback.check_target.decide(way.settings_to_apply, seen.replace(docker=Docker(True, "26")), way)
    gone = rollback.check_target.decide(
        way.settings_to_apply, seen.replace(docker=Docker(True, "26", gone=frozenset({ID}))), way
    )

    assert isinstance(there, Unchanged)
    assert gone == Refused(f"the image from that release was removed from the host: {ID}", hints)


def test_a_record_without_the_manifests_digest_says_the_same_as_one_with_it() -> None:
    then = Docker(True, "26", Container("c1", "running", ID, {}, ""), ID)
    seen = bare().replace(docker=then)
    seen = seen.with_file(paths.CURRENT_RECORD, File("file", content=entry(declared(), seen).encode()))

    now = release_record.new_record(declared(), seen.replace(docker=replace(then, digests=frozenset({DIGEST}))))

    assert now.shift == "no"
    assert DIGEST in now.entry


DOCKER = """#!/bin/sh
case $* in
  *1111) echo "$4" ;;
  *2222) echo "Error response from daemon: No such image: $4" >&2; exit 1 ;;
  *) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;
esac
"""


def missing_here(place: Path, *ids: str) -> subprocess.CompletedProcess[str]:
    """What the probe prints about records with these images. `docker` is a stand-in with those that end in 1."""
    (place / "docker").write_text(DOCKER)
    (place / "docker").chmod(0o755)
    for number, each in enumerate(ids):
        then = Docker(True, "26", Container("c1", "running", each, {}, ""))
        (place / f"record-{number}.json").write_text(entry(CURRENT, bare().replace(docker=then)))
    text = files("fleethands.facts").joinpath("docker.sh").read_text()
    part = text[text.index("inspect_object()") :]
    head = f'PATH={place}:$PATH; deadline=0; has_api=; body="$1"; shift; records="$*"; before() {{ shift; "$@"; }}'
    words = [ids[0] if ids else "", *(str(place / f"record-{number}.json") for number in range(3))]
    script = "\n".join([head, part, "docker_gone"])
    return subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, text=True, timeout=30, check=False)


def test_the_probe_names_images_of_records_that_are_gone(tmp_path: Path) -> None:
    ours, there, gone, unknown = ("sha256:" + each * 64 for each in "3124")

    assert missing_here(tmp_path, ours, there, gone).stdout == f"gone {gone}\n"
    assert missing_here(tmp_path, ours, unknown, gone).returncode == 1  # and never taken for gone
    assert docker.parse_docker(["version 26", "container -", f"gone {gone}"]).gone == {gone}
    with pytest.raises(ValueError, match="voodoo"):
        docker.parse_docker(["version 26", "container -", "gone voodoo"])


# as fleethands at 281063c writes it
OF_BEFORE = (
    '{"schema": 1, "by": "ana@build-2", "version": "0.1.0", "revision": "281063c+", "declared": {"firewall": true, '
    '"allow_from": [], "openhands_flavor": "off", "openhands_image": "ghcr.io/all-hands-ai/openhands:main", '
    '"openhands_pull": "missing", "openhands_settings": "kept", "openhands_adopt": false, "openhands_port": 3000, '
    '"openhands_bind": "127.0.0.1", "openhands_workspace": "/opt/openhands/workspace", "openhands_env": {}, '
    '"openhands_user": "openhands", "models": [{"name": "codellama:7b", "insecure": false, "preload": false}], '
    '"models_prune": false, "ollama_version": "0.24.0", "ollama_url": "https://mirror.example/ollama", '
    '"ollama_transfer": "host", "ollama_host": "0.0.0.0:11434", "ollama_origins": ["*"], "ollama_keep_alive": "7m", '
    '"ollama_env": {"OLLAMA_NUM_PARALLEL": 2}, "ollama_adopt": false}, "versions": {"ollama": "0.24.0", "models": '
    '{"codellama:7b": ""}, "image": {"name": "", "id": ""}}, "run": "8c2f1a90", "time": "2026-11-25T17:02:11Z"}'
)


def test_a_record_of_before_is_read_as_it_was() -> None:
    way = rollback.find_target(declared(), host(**{paths.CURRENT_RECORD: OF_BEFORE}))

    assert (way.problem, way.image) == (None, "")
    assert (way.settings.ollama_keep_alive, way.settings.ollama_env) == ("7m", {"OLLAMA_NUM_PARALLEL": 2})
    assert str(way.record) == "2026-11-25 17:02 UTC by ana@build-2"


def record_with(**declared_: Any) -> str:
    row = json.loads(entry(CURRENT))
    return json.dumps({**row, "declared": {**row["declared"], **declared_}})


def test_a_record_that_names_a_file_of_the_controller_is_refused_and_the_file_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("hunter2")
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("a file was read"))
    place = {"secret": "file", "place": str(canary)}

    way = rollback.find_target(
        declared(), host(**{paths.CURRENT_RECORD: record_with(ollama_env={"OLLAMA_API_KEY": place})})
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
    text = record_with(ollama_transfer="controller", ollama_url="file:///etc", ollama_keep_alive="1m")

    way = rollback.find_target(declared(**today), host(**{paths.CURRENT_RECORD: text}))

    assert way.problem is None
    assert (way.settings_to_apply.ollama_transfer, way.settings_to_apply.ollama_url) == wanted
    assert way.settings_to_apply.ollama_keep_alive == "1m"


def test_where_a_host_fetches_by_itself_is_its_record_s_to_say() -> None:
    way = rollback.find_target(
        declared(), host(**{paths.CURRENT_RECORD: record_with(ollama_url="https://old.example/o")})
    )

    assert way.settings_to_apply.ollama_url == "https://old.example/o"


BOMBS: dict[str, str] = {
    "deep": '{"schema": 1, "declared": ' + "[" * 60_000,
    "deep enough for Python": json.dumps({**json.loads(entry(CURRENT)), "declared": json.loads("[" * 500 + "]" * 500)}),
    "infinite": entry(CURRENT).replace('"models_prune": true', '"models_prune": 1e999'),
    "digits": entry(CURRENT).replace('"models_prune": true', '"models_prune": ' + "9" * 5000),
    "keys": json.dumps({**json.loads(entry(CURRENT)), "declared": {f"ollama_{n}": n for n in range(3000)}}),
    "long": entry(CURRENT).replace('"by": "', '"by": "' + "a" * (1 << 17)),
    "not utf-8": entry(CURRENT).replace('"by": "', '"by": "\udcff'),
    "escapes": entry(CURRENT).replace('"by": "', '"by": "\\u001b[2J'),
    "turned text": entry(CURRENT).replace('"by": "', '"by": "\\u202e'),
    "a list for a word": entry(CURRENT).replace('"by": "', '"by": ["x"], "and": "'),
    "no image": entry(CURRENT).replace('"image": {', '"image": 5, "x": {'),
    "an infinite version": entry(CURRENT).replace('"versions": {"ollama": "0.24.0"', '"versions": {"ollama": 1e999'),
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
    row = json.loads(entry(CURRENT))
    row = {**row, "declared": {**row["declared"], **declared_}, "by": by}
    for text in (row, {**row, "versions": versions}, {**row, "declared": versions}):
        seen = host(**{paths.CURRENT_RECORD: json.dumps(text)})
        way = rollback.find_target(declared(), seen)
        secrets = [*way.settings.ollama_env.values(), *way.settings.openhands_env.values()]
        assert not [each for each in secrets if isinstance(each, Secret)]
        assert all(model.modelfile is None for model in way.settings.models)
        assert isinstance(rollback.check_target.decide(way.settings_to_apply, seen, way), Unchanged | Refused)
        assert isinstance(release._recorded_releases(seen.replace(releases={})), list)
