"""Models, by their whole name and digest."""

from __future__ import annotations

import hashlib
import json

from fleethands.facts import Probe
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.settings import HostSettings
from fleethands.settings.host import Model


@operation
def present(settings: HostSettings, seen: Probe) -> Decision:
    """Have the listed models. A name counts only whole: another tag of the same model is another model."""
    missing = [model for model in settings.models if not _there(model, seen)]
    if not missing:
        return Same(f"{', '.join(str(model.name) for model in settings.models) or 'no model'}: as declared")
    return [_pull(settings, model) for model in missing]


def _there(model: Model, seen: Probe) -> bool:
    # a part that differs in case alone gets the case that another model has (ollama server/images.go getExistingName)
    digest = {name.casefold(): digest for name, digest in seen.models.items()}.get(str(model.name).casefold())
    return digest is not None and model.digest in (None, digest)


def _pull(settings: HostSettings, model: Model) -> Change:
    name = str(model.name)
    script = step(
        "pull",
        name=name,
        request=json.dumps({"model": name, "insecure": model.insecure}),
        url=settings.ollama_host.local_url,
        unit=f"fleethands-pull-{hashlib.sha256(name.encode()).hexdigest()[:12]}",
    )

    def then(probe: Probe) -> Probe:
        return probe.having(models={**probe.models, name: model.digest or "to be pulled"})

    return Change(f"model {name}", "missing", model.digest or "present", script, then)
