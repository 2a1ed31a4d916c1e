"""Settings of models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import model_validator

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import AsTuple, Name, Sha256, Text


class Model(Keys):
    """One model of a host."""

    name: Annotated[
        Name,
        Description(
            "The name of a model: `[host/][namespace/]model[:tag]`.",
            accepts="`model:tag`, such as `codellama:7b`",
            change="to pull from another registry, or another tag",
            example="registry.example:5000/team/coder:v1",
        ),
    ]
    digest: Annotated[
        Sha256 | None,
        Description(
            "The sha256 of the model's manifest.",
            accepts="64 lower-case hex digits",
            change="to keep this exact model when its tag moves",
            example="8fdf" * 16,
            default="what the tag names",
        ),
    ] = None
    insecure: Annotated[
        bool,
        Description(
            "Whether to pull over plain HTTP.",
            accepts="True or False",
            change="for a registry in your own network without a certificate",
            example=True,
        ),
    ] = False
    modelfile: Annotated[
        Text | None,
        Description(
            "The path of a Modelfile on the controller. The host builds the model from it. "
            "A relative path starts at the working directory.",
            accepts="the path of a Modelfile on the controller",
            change="to build a model of your own on a base model, for example with another context length or prompt",
            example="modelfiles/coder",
            default="none: the model is pulled",
        ),
    ] = None
    preload: Annotated[
        bool,
        Description(
            "Whether to load the model right after Ollama starts.",
            accepts="True or False",
            change="so that the first prompt does not wait for the load",
            example=True,
        ),
    ] = False

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class ModelKeys(Keys):
    """Models."""

    models: Annotated[
        tuple[Model, ...],
        AsTuple,
        Description(
            "The models to install, each as a name or as a dictionary with more keys. "
            "OpenHands and the proof use the first one.",
            accepts="a list of models",
            change="to suit your work: `codellama:7b` answers, but calls no tools",
            example=["qwen3-coder:30b"],
        ),
    ] = ()
    models_prune: Annotated[
        bool,
        Description(
            "Whether to remove models that are not listed.",
            accepts="True or False",
            change="on hosts with a small disk whose models are all listed here",
            example=True,
        ),
    ] = False
