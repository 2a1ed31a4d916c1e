"""What a release record contains, and when it moves the previous ones."""

from __future__ import annotations

from dataclasses import replace

from fleethands import paths
from fleethands.facts.docker import Container, Docker
from fleethands.facts.files import File
from fleethands.facts.record import Record
from fleethands.operations.core import release_record
from tests.helpers.release_records import IMAGE_DIGEST, IMAGE_ID, render_record
from tests.hosts import bare, declared


def test_a_record_says_what_runs_and_moves_the_others_only_for_something_new() -> None:
    container = Container("c1", "running", IMAGE_ID, {}, "")
    seen = bare().replace(docker=Docker(True, "26", container), models={"codellama:7b": "d1"})

    first = release_record.new_record(declared(), seen)

    known = Record.parse((first.entry + ', "run": "", "time": ""}').encode())
    assert known is not None
    assert known.versions == {
        "ollama": "0.24.0",
        "models": {"codellama:7b": "d1"},
        "image": {"name": declared().openhands_image, "id": IMAGE_ID},
    }
    assert first.shift == "first"
    again = seen.with_file(paths.CURRENT_RECORD, File("file", content=render_record(declared(), seen).encode()))
    assert release_record.new_record(declared(), again).shift == "no"
    assert release_record.new_record(declared(ollama_keep_alive="1m"), again).shift == "yes"
    assert release_record.new_record(declared(), again.replace(models={"codellama:7b": "d2"})).shift == "yes"


def test_a_record_without_the_manifests_digest_says_the_same_as_one_with_it() -> None:
    then = Docker(True, "26", Container("c1", "running", IMAGE_ID, {}, ""), IMAGE_ID)
    seen = bare().replace(docker=then)
    seen = seen.with_file(paths.CURRENT_RECORD, File("file", content=render_record(declared(), seen).encode()))

    now = release_record.new_record(declared(), seen.replace(docker=replace(then, digests=frozenset({IMAGE_DIGEST}))))

    assert now.shift == "no"
    assert IMAGE_DIGEST in now.entry
