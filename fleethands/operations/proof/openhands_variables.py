"""What the proof's script has to know about OpenHands."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.operations.core.decision import APPLY_HINT
from fleethands.operations.openhands.container import READY_WITHIN
from fleethands.operations.openhands.current_model import PREFIX_ERRORS, current_model, declared_model
from fleethands.settings import HostSettings
from fleethands.settings.generations import API_KEY, CANVAS, HOST_NAME, V1
from fleethands.settings.openhands import base_url, generation_of, model_string
from fleethands.settings.schema.ollama import SHORTEST_CONTEXT

ENFORCED = " --data openhands_settings=enforced"
CHECKED_WITHIN = 14  # seconds: Canvas gives its own check 15 (agent-server 1.56.0, PREFLIGHT_TIMEOUT_SECONDS)


@dataclass(frozen=True, kw_only=True)
class OpenHandsVariables:
    """
    How OpenHands runs, and where it answers.

    + openhands: a `container`, a `service`, or `no`
    + generation: of its API, by which a conversation is held
    + least: tokens that its own prompt needs
    + tools: it needs a model that takes tools
    + limit: seconds until it has to answer
    + workspace, talks: directories of its work and of its conversations, as it sees them
    + webhook: the address at which its sandboxes call it back; empty: it has none
    + key_file: of the key that its API asks for; empty: it asks for none
    """

    openhands: str
    generation: str
    least: int
    tools: bool
    container: str
    image: str
    container_url: str
    page: str
    port: int
    limit: int
    user: str
    workspace: str
    talks: str
    ready_url: str
    settings_url: str
    webhook: str
    key_file: str


@dataclass(frozen=True, kw_only=True)
class ValidationVariables:
    """OpenHands' own check of a model: its request as JSON (empty: it has no such check), and its seconds."""

    validation: str
    validate_url: str
    limit_check: int


@dataclass(frozen=True, kw_only=True)
class ChoiceVariables:
    """
    The model that is selected in OpenHands.

    + chosen, chosen_url: the model and the server that OpenHands has to name; empty: a user selected another one
    + chosen_says: what the proof prints if that holds; chosen_wrong: why it does not; chosen_try: an address to reach
    + choose: what selects the declared model
    + choice_rules: why a model that a user selected since cannot work, in lines `PREFIX|ENDS_IN_V1|CAUSE`; empty: only
      the expected model holds
    """

    chosen: str
    chosen_url: str
    chosen_says: str
    chosen_wrong: str
    chosen_try: str
    choose: str
    choice_rules: str = ""


def openhands_runtime(settings: HostSettings) -> str:
    """How OpenHands runs: in a `container`, as a `service`, or `no`."""
    return {"off": "no", "source": "service"}.get(settings.openhands_flavor, "container")


def openhands_variables(settings: HostSettings) -> OpenHandsVariables:
    era, runtime, in_container = generation_of(settings), openhands_runtime(settings), bool(settings.container_image)
    return OpenHandsVariables(
        openhands=runtime,
        generation=era.api,
        least=SHORTEST_CONTEXT,
        tools=runtime != "no" and era.tools,
        container=paths.CONTAINER,
        image=settings.openhands_image,
        container_url=base_url(settings),
        page=settings.openhands_url,
        port=settings.openhands_port,
        limit=READY_WITHIN,
        user=settings.openhands_user,
        workspace=era.workspace if in_container else str(settings.openhands_workspace),
        talks=(era.state if in_container else era.directory) + "/sessions",
        ready_url=settings.openhands_url + era.ready,
        settings_url=settings.openhands_url + era.settings_api,
        webhook=f"http://{HOST_NAME}:{settings.openhands_port}{era.ready}" if era is V1 else "",
        key_file=paths.CANVAS_KEY if era.needs_key else "",
    )


def validation_variables(settings: HostSettings) -> ValidationVariables:
    era = generation_of(settings)
    # without `num_retries` 0 OpenHands tries a dead Ollama for minutes (agent-server 1.44)
    llm = {**CANVAS.settings_file(model_string(settings), base_url(settings) + "/v1"), "api_key": API_KEY}
    llm |= {"num_retries": 0, "timeout": 120}
    return ValidationVariables(
        validation=json.dumps({"llm": llm}) if era.needs_key else "",
        validate_url=f"{settings.openhands_url}/api/profiles/default/validate",
        limit_check=CHECKED_WITHIN,
    )


def choice_variables(settings: HostSettings, probe: Probe) -> ChoiceVariables:
    choice = current_model(settings, probe)
    return ChoiceVariables(
        chosen=choice.model,
        chosen_url=choice.url,
        chosen_says=choice.says,
        chosen_wrong=choice.wrong,
        chosen_try=choice.address,
        choose=f"{APPLY_HINT}{'' if choice.model else ENFORCED}",
    )


def declared_choice(settings: HostSettings) -> ChoiceVariables:
    """The declared model. If a user's own choice is kept, the script judges what a user selected since."""
    is_kept, choice = settings.openhands_settings == "kept", declared_model(settings)
    rows = [f"{prefix}|{'yes' if slash_v1 else 'no'}|{cause}" for (prefix, slash_v1), cause in PREFIX_ERRORS.items()]
    return ChoiceVariables(
        chosen=choice.model,
        chosen_url=choice.url,
        chosen_says=choice.says,
        chosen_wrong="",
        chosen_try="",
        choose=f"{APPLY_HINT}{ENFORCED if is_kept else ''}",
        choice_rules="\n".join(rows) if is_kept else "",
    )
