"""Models are copied, created from Modelfiles, preloaded and pruned."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.model_pulls import apply_models, assert_settled, find_digest, list_models

pytestmark = pytest.mark.soak


def test_a_model_under_another_name_is_copied(lab: Lab, serving: Host) -> None:
    renamed = {"name": "mine:v1", "digest": find_digest(lab, "codellama", "7b")}
    since = time.time()

    run = apply_models(renamed)

    assert run.code == 0, run.said
    assert list_models(serving)["mine:v1"] == list_models(serving)["codellama:7b"]
    sent = [each for each in lab.internet.requests(since) if each.status != 404]  # a plan asks for what is not there
    assert sent == []
    assert_settled(serving, renamed)


def test_a_model_is_made_from_its_modelfile_and_again_when_that_changes(serving: Host, tmp_path: Path) -> None:
    file = tmp_path / "Modelfile"
    file.write_text('FROM codellama:7b\nPARAMETER num_ctx 4096\nSYSTEM """Say "OK".\nFROM nowhere"""\n')
    mine = {"name": "mine", "modelfile": str(file)}
    derived = tmp_path / "Derived"
    derived.write_text("FROM mine\nPARAMETER temperature 0\n")
    models: list[str | dict[str, Any]] = [{"name": "derived", "modelfile": str(derived)}, mine]

    assert apply_models(*models).code == 0  # codellama comes because `mine` starts from it
    first = list_models(serving)
    assert_settled(serving, *models)
    file.write_text(file.read_text().replace("4096", "8192"))
    assert apply_models(*models).changed("lab-1")[0] == "Models | Create models from Modelfiles"

    now = list_models(serving)
    assert {name for name in now if now[name] != first[name]} == {"mine:latest", "derived:latest"}
    assert "num_ctx                        8192" in serving.run("ollama show --parameters mine").stdout
    assert_settled(serving, *models)
    serving.run("ollama cp codellama:7b mine")
    assert apply_models(*models).changed("lab-1")[0] == "Models | Create models from Modelfiles"
    assert_settled(serving, *models)


RELOADED = "until test -f /run/fleethands/preloaded; do sleep 0.1; done"


def list_loaded_models(host: Host) -> set[str]:
    return {model["name"] for model in json.loads(host.run("curl -fsS localhost:11434/api/ps").stdout)["models"]}


def test_a_preloaded_model_is_there_from_ollama_s_start(serving: Host) -> None:
    model = {"name": "codellama:7b", "preload": True}
    assert apply_models(model).code == 0
    assert_settled(serving, model)

    for trouble in ("systemctl restart ollama", "systemctl kill -s KILL ollama"):
        serving.run(f"rm /run/fleethands/preloaded; {trouble}")
        serving.run(RELOADED)
        assert list_loaded_models(serving) == {"codellama:7b"}
    serving.reboot()
    serving.run(RELOADED)
    assert_settled(serving, model)

    serving.run("systemctl disable --quiet fleethands-preload; systemctl restart ollama")
    assert apply_models(model).changed("lab-1")[0] == "Models | Load at Ollama's start"
    assert list_loaded_models(serving) == {"codellama:7b"}
    assert apply_models("codellama:7b").changed("lab-1")[0] == "Models | Load at Ollama's start"
    assert serving.run("ls /etc/systemd/system/fleethands-preload.service", check=False).returncode != 0
    assert_settled(serving, "codellama:7b")


def test_only_what_is_not_listed_is_pruned_and_only_when_asked_for(serving: Host) -> None:
    serving.run("ollama cp codellama:7b team/foreign:v1; ollama cp codellama:7b codellama:7b-mine")
    assert apply_models("codellama:7b").changed("lab-1") == []
    assert len(list_models(serving)) == 3

    run = apply_models("codellama:7b", models_prune=True)

    assert run.code == 0, run.said
    assert run.changed("lab-1")[0] == "Models | Remove what is not listed"
    assert set(list_models(serving)) == {"codellama:7b"}
    assert_settled(serving, "codellama:7b", models_prune=True)
