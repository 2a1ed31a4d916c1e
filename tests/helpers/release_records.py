"""Release records as a host stores them, and hosts that have them."""

from __future__ import annotations

from typing import Any

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core import release_record
from fleethands.settings import HostSettings
from tests.hosts import bare, declared

PROVEN = {paths.PROOF: "list\tok\t1\t\t\n"}
BROKEN = {paths.PROOF: "list\tbroken\t1\tno such model\t\n"}
IMAGE_ID, IMAGE_DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64
CURRENT, PREVIOUS = declared(ollama_keep_alive="1m", models_prune=True), declared(ollama_keep_alive="2m")


def render_record(settings: HostSettings, seen: Probe | None = None, **more: Any) -> str:
    """A record's text, as the proof's script writes it."""
    row = release_record.new_record(settings, seen or bare(settings))
    return row.entry + f', "run": "r1", "time": "2026-11-25T17:02:11Z"{"".join(more.values())}}}'


def probe_with_files(**files: str) -> Probe:
    seen = bare()
    for path, content in files.items():
        seen = seen.with_file(path, File("file", "0600", content=content.encode()))
    return seen


RECORDS = {paths.CURRENT_RECORD: render_record(CURRENT), paths.PREVIOUS_RECORD: render_record(PREVIOUS)}
