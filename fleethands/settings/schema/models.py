"""Models to have."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import model_validator

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import About
from fleethands.settings.schema.types import AsTuple, Name, Sha256, Text


class Model(Keys):
    """One model to have on the host."""

    name: Annotated[
        Name,
        About(
            "`[host/][namespace/]model[:tag]`",
            form="`model:tag`, as `codellama:7b`",
            why="another registry or another tag",
            example="registry.example:5000/team/coder:v1",
        ),
    ]
    digest: Annotated[
        Sha256 | None,
        About(
            "sha256 of the model's manifest",
            form="64 lower-case hex digits",
            why="this very model, though its tag moves",
            example="8fdf" * 16,
            derived="whatever the tag names",
        ),
    ] = None
    insecure: Annotated[
        bool,
        About(
            "pull by plain HTTP",
            form="True or False",
            why="a registry inside your network that has no certificate",
            example=True,
        ),
    ] = False
    modelfile: Annotated[
        Text | None,
        About(
            "text of a Modelfile to make the model from",
            form="text",
            why="a model of your own: another context or prompt on top of a base",
            example="FROM codellama:7b\nPARAMETER num_ctx 32768",
            derived="none: the model is pulled",
        ),
    ] = None
    preload: Annotated[
        bool,
        About(
            "load it right after a start",
            form="True or False",
            why="the first prompt does not wait for the load",
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
        About(
            "models to have: each by name, or as a dictionary with more; the first is OpenHands' and the proof's",
            form="a list of models",
            why="the work decides: codellama:7b answers, but calls no tools",
            example=["qwen3-coder:30b"],
        ),
    ] = ()
    models_prune: Annotated[
        bool,
        About(
            "remove models that are not listed",
            form="True or False",
            why="hosts whose models are all declared here, and whose disk is small",
            example=True,
        ),
    ] = False
