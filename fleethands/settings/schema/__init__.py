"""All settings, each with its type, its default and its description."""

from pydantic import BaseModel, ConfigDict


class Keys(BaseModel):
    """Keys of one section; the docstring is its heading in docs/settings.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=True)
