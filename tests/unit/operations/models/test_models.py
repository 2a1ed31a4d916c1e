"""Decisions about models that are not in tests/cases: where models come from, and what Modelfiles may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands.facts.ollama import CreatedModel, ModelStore
from fleethands.operations.core.decision import Change
from fleethands.operations.models import modelfiles, models
from fleethands.settings import SettingsError
from fleethands.settings.values import modelfile
from tests.hosts import bare, declared

PINNED = "b" * 64


def test_a_model_that_is_there_under_another_name_is_copied() -> None:
    settings = declared(models=[{"name": "mine:v1", "digest": PINNED}])
    seen = bare(settings).replace(models={"codellama:7b": PINNED})

    (change,) = models.pull.decide(settings, seen)

    assert change.consequence == "copied from codellama:7b, nothing is downloaded"
    assert "/api/copy" in change.script.body


def test_a_proxy_s_password_stands_on_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = declared(ollama_env={"HTTPS_PROXY": "http://u:hunter2@proxy:3128"})
    (change,) = models.pull.decide(settings, bare(settings))

    assert "hunter2" not in change.script.body
    assert change.script.values["puller"].count("hunter2") == 1  # of `exported`, in a file that root alone reads


def test_every_model_that_goes_is_named() -> None:
    settings = declared(models_prune=True)
    seen = bare(settings).replace(models=dict.fromkeys(("codellama:7b", "b:1", "a:1"), PINNED))

    changes = models.prune.decide(settings, seen)

    assert [(change.subject, change.after) for change in changes] == [
        ("model a:1", "removed"),
        ("model b:1", "removed"),
    ]


def with_modelfile(folder: Path, text: str) -> list[dict[str, Any]]:
    (folder / "Modelfile").write_text(text)
    return [{"name": "mine", "modelfile": str(folder / "Modelfile")}]


def test_what_a_modelfile_starts_from_is_pulled_first_and_kept(tmp_path: Path) -> None:
    settings = declared(models=with_modelfile(tmp_path, "# base\nfrom team/base:v2\n"), models_prune=True)
    files = modelfile.load_modelfiles(settings)
    seen = bare(settings).replace(models={"team/base:v2": PINNED})

    assert [str(model.name) for model in models.registry_models(settings, files)] == ["team/base:v2"]
    assert not isinstance(models.prune.decide(settings, seen, files), list)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (None, "it was not made here"),
        ({"text": "0" * 64}, "its Modelfile changed"),
        ({"base": "0" * 64}, "base:latest is another one now"),
        ({"digest": "0" * 64}, "it was changed since it was made"),
        ({}, None),
    ],
)
def test_why_a_model_is_made_again(tmp_path: Path, made: dict[str, str] | None, why: str | None) -> None:
    settings = declared(models=with_modelfile(tmp_path, "FROM base\n"))
    seen = bare(settings).replace(models={"base:latest": PINNED})
    (change,) = modelfiles.build.decide(settings, seen, modelfile.load_modelfiles(settings))
    text = change.predict(seen).store.made["mine:latest"].text
    known = {"text": text, "base": PINNED, "digest": "c" * 64, **(made or {})}
    seen = seen.replace(models={"base:latest": PINNED, "mine:latest": "c" * 64})
    seen = seen.replace(store=ModelStore(made={"mine:latest": CreatedModel(**known)} if made is not None else {}))

    decision = modelfiles.build.decide(settings, seen, modelfile.load_modelfiles(settings))

    assert (decision[0].why if isinstance(decision, list) else None) == why


def test_what_starts_from_a_model_that_is_made_again_is_made_again_after_it(tmp_path: Path) -> None:
    own = with_modelfile(tmp_path, "FROM base\n")
    (tmp_path / "Second").write_text("FROM mine\n")
    settings = declared(models=[{"name": "second", "modelfile": str(tmp_path / "Second")}, *own])

    changes: list[Change] = modelfiles.build.decide(settings, bare(settings), modelfile.load_modelfiles(settings))

    assert [change.subject for change in changes] == ["model mine:latest", "model second:latest"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("PARAMETER num_ctx 1\n", "expected one FROM that names a model"),
        ("FROM ./weights.gguf\n", "expected one FROM that names a model"),
        ("FROM a\nFROM b\n", "expected one FROM that names a model"),
        ("FROM a\nADAPTER ./x\n", "expected no ADAPTER"),
        ('SYSTEM """\nFROM a\n"""\n', "expected one FROM that names a model"),
        ("FROM mine\n", "mine:latest: each is built FROM the other"),
    ],
)
def test_modelfiles_that_cannot_work_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        declared(models=with_modelfile(tmp_path, text))


def test_a_modelfile_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"`models\.0\.modelfile`: cannot read `/nowhere`: No such file"):
        declared(models=[{"name": "mine", "modelfile": "/nowhere"}])


def test_a_model_is_listed_once() -> None:
    with pytest.raises(SettingsError, match=r"`models\.1`: expected each model once, got `codellama:7b`"):
        declared(models=["codellama:7b", "registry.ollama.ai/library/codellama:7b"])
