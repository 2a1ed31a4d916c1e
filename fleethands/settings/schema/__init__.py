"""All settings, each with its type, its default and its description."""

from pydantic import BaseModel, ConfigDict


class Keys(BaseModel):
    """Keys of one section; the docstring is its heading in docs/settings.md."""

    # a section is only validated as a part of HostSettings, so it needs no validator of its own
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=True, defer_build=True)
