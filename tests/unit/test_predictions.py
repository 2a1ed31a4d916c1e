"""A plan predicts the host: after every change that it names, nothing is left to do."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.facts import Probe
from fleethands.operations.artifacts import kept_parts
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.docker import engine
from fleethands.operations.firewall import firewall
from fleethands.operations.models import modelfiles, models, preload
from fleethands.operations.ollama import image, release, service
from fleethands.operations.openhands import container, sandboxes, select_model
from fleethands.operations.preflight import preflight
from fleethands.operations.proof import proof
from fleethands.operations.system import packages, system
from fleethands.settings import HostSettings
from fleethands.settings.values import modelfile
from fleethands.tasks.firewall import rules
from tests.hosts import bare, declared


def steps(settings: HostSettings) -> list[tuple[Any, dict[str, Any]]]:
    """The operations of deploy.py, with contents of our own."""
    owner = f"{settings.openhands_user}:{settings.openhands_user}"
    return [
        (preflight.check, {}),
        (packages.install, {}),
        (engine.start, {}),
        (firewall.write_rules, {"render": rules}),
        (firewall.load_rules, {"render": rules}),
        (system.create_user, {"user": "ollama", "home": "/usr/share/ollama", "groups": ("render", "video", "none")}),
        (system.create_directory, {"path": "/usr/share/ollama", "owner": "ollama:ollama", "mode": None}),
        (image.pull if settings.ollama_declared_image else release.install, {}),
        (service.serve, {"revision": "r1"}),
        (models.pull, {"modelfiles": modelfile.load_modelfiles(settings)}),
        (modelfiles.build, {"modelfiles": modelfile.load_modelfiles(settings)}),
        (preload.load, {"unit": "unit"}),
        (models.prune, {"modelfiles": modelfile.load_modelfiles(settings)}),
        (system.create_user, {"user": settings.openhands_user, "home": "/opt/openhands", "roots_home": True}),
        (system.create_directory, {"path": str(settings.openhands_workspace), "owner": owner, "mode": "0755"}),
        (container.serve, {}),
        (select_model.select_model, {}),
        (proof.prove, {}),
        (sandboxes.remove, {}),
        (kept_parts.remove_kept, {}),
        (firewall.narrow_rules, {"render": rules}),
    ]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"openhands_port": 3001},
        {"models": ["a", "b:c"]},
        {"models": [{"name": "a", "digest": "a" * 64, "preload": True}], "models_prune": True},
        {"models": [{"name": "b", "modelfile": "tests/unit/Modelfile"}], "models_prune": True},
        {"firewall": False},
        {"openhands_flavor": "canvas"},
        {"ollama_runtime": "container"},
        {"ollama_runtime": "container", "openhands_flavor": "off"},
    ],
)
def test_what_is_foreseen_from_a_bare_host_needs_nothing_more(data: dict[str, Any]) -> None:
    settings = declared(**data)
    seen = bare(settings)
    for step, arguments in steps(settings):
        seen = _after(step.decide(settings, seen, **arguments), seen)

    left = [step.decide(settings, seen, **arguments) for step, arguments in steps(settings)]

    assert all(isinstance(decision, Unchanged) for decision in left), left


def _after(decision: Any, seen: Probe) -> Probe:
    for change in decision if isinstance(decision, list) else [decision]:
        if isinstance(change, Change):
            seen = change.predict(seen)
    return seen
