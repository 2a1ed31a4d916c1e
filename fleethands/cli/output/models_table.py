"""The models of a fleet: what is where, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleethands.cli.output.plain_table import render_table
from fleethands.everyday.ask_hosts import Answer
from fleethands.everyday.stored_models import ModelInventory, StoredModel
from fleethands.fleet.selection import join_names
from fleethands.text.format import format_size

DIGEST = 12  # digits; `ollama list` shows that many
MODELS = ("model", "digest", "size", "state", "hosts")
HOSTS = ("host", "models", "in the store", "unused", "in no model", "unfinished")


def lines(answers: Mapping[str, Answer[ModelInventory]]) -> Iterator[str]:
    """Both tables, then the total and the hosts that did not answer."""
    known = {name: each.value for name, each in sorted(answers.items()) if each.value is not None}
    if any(each.models for each in known.values()):
        yield from render_table(MODELS, _model_rows(known))
        yield ""
    if known:
        yield from render_table(HOSTS, [[name, *_sizes(each)] for name, each in known.items()])
        yield ""
        yield _total(list(known.values()))
    for name, answer in sorted(answers.items()):
        if answer.value is None:
            yield f"{name}  {answer.status}: {answer.reason}"
            yield from (f"  hint: {hint}" for hint in answer.hints)


def _model_rows(known: Mapping[str, ModelInventory]) -> Iterator[list[str]]:
    """One row for the same model in the same state, with all its hosts."""
    places: dict[StoredModel, list[str]] = {}
    for name, found in known.items():
        for model in found.models:
            places.setdefault(model, []).append(name)
    for model, hosts in sorted(places.items(), key=lambda item: (item[0].name, item[1])):
        digest, size = (model.digest[:DIGEST], format_size(model.size)) if not model.is_missing else ("-", "-")
        yield [model.name, digest, size, _state(model), join_names(hosts, 10)]


def _state(model: StoredModel) -> str:
    if model.is_missing:
        return "declared, missing"
    declared = "declared" if model.is_declared else "not declared"
    match model.loaded:
        case None:
            return f"{declared}, Ollama does not answer"
        case True:
            return f"{declared}, loaded"
    return "unused" if model.is_unused else declared


def _sizes(found: ModelInventory) -> list[str]:
    there = sum(not model.is_missing for model in found.models)
    sizes = (found.size, found.unused, found.unreferenced, found.unfinished)
    return [str(there), *(format_size(size) if size else "-" for size in sizes)]


def _total(known: list[ModelInventory]) -> str:
    size, unused = (format_size(sum(getattr(each, word) for each in known)) for word in ("size", "unused"))
    return f"{len(known)} host{'s' if len(known) != 1 else ''}: {size} in model stores, {unused} of it unused"
