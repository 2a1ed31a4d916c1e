"""`fleethands models`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click

from fleethands.cli.errors import EXIT_FAILED
from fleethands.cli.output import models_table
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import connect, open_checked_hosts
from fleethands.everyday.ask_hosts import Answer, ask_hosts
from fleethands.everyday.stored_models import ModelInventory, StoredModel, parse_store, store_script


def run(writer: ReportWriter) -> int:
    engine = open_checked_hosts(writer)
    settings = engine.settings()
    with closing(connect(engine)):
        answers = ask_hosts(
            engine,
            lambda name, mark: store_script(settings[name], mark),
            lambda name, lines: parse_store(settings[name], lines),
        )
    if writer.as_json:
        writer.print_json(engine.mask.all(_document(answers, engine.monitor.commands)))
    else:
        for line in models_table.lines(answers):
            click.echo(engine.mask.text(line))
    return EXIT_FAILED if any(each.value is None for each in answers.values()) else 0


def _document(answers: Mapping[str, Answer[ModelInventory]], commands: Mapping[str, int]) -> dict[str, Any]:
    known = [each.value for each in answers.values() if each.value is not None]
    return {
        "schema": 1,
        "command": "models",
        "result": "done" if len(known) == len(answers) else "failed",
        **_sizes(known),
        "hosts": {name: _host(each, commands.get(name, 0)) for name, each in sorted(answers.items())},
    }


def _sizes(found: list[ModelInventory]) -> dict[str, int]:
    words = ("size", "unused", "unreferenced", "unfinished")
    return {f"{word}_bytes".replace("size_", "total_"): sum(getattr(each, word) for each in found) for word in words}


def _host(answer: Answer[ModelInventory], commands: int) -> dict[str, Any]:
    found = answer.value
    return {
        "status": answer.status,
        "reason": answer.reason,
        "hints": list(answer.hints),
        "remote_commands": commands,
        "models": [_model(each) for each in found.models] if found else [],
        **_sizes([found] if found else []),
    }


def _model(model: StoredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "digest": model.digest,
        "bytes": model.size,
        "declared": model.is_declared,
        "loaded": model.loaded,
        "missing": model.is_missing,
        "unused": model.is_unused,
    }
