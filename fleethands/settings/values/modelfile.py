"""Modelfiles on the controller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleethands.settings.host import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.values.names import ModelName


@dataclass(frozen=True)
class Modelfile:
    """The text of a Modelfile, and its base model."""

    text: str
    base: ModelName

    @classmethod
    def load(cls, path: str) -> Modelfile:
        """
        Load a Modelfile. A relative path starts at the working directory.

        Raises ValueError for a file that can't be read, or that needs other files on the host.
        """
        if "\n" in path or path.upper().startswith("FROM "):
            raise ValueError("expected the path of a Modelfile, got its text: write the text to a file")
        try:
            text = Path(path).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot read `{path}`: {getattr(error, 'strerror', 'it is not text')}") from None
        lines = _instructions(text)
        if any(word == "adapter" for word, _ in lines):
            raise ValueError("expected no ADAPTER: its file is not on the host")
        bases = [rest for word, rest in lines if word == "from"]
        if len(bases) != 1 or bases[0].startswith((".", "/", "~")):
            raise ValueError("expected one FROM that names a model, such as `FROM codellama:7b`")
        return cls(text, ModelName.parse(bases[0]))


def load_modelfiles(settings: HostSettings) -> dict[Model, Modelfile]:
    """The Modelfile of each model that has one, base models first. Raises ValueError."""
    waiting = {model: Modelfile.load(model.modelfile) for model in settings.models if model.modelfile is not None}
    ordered: dict[Model, Modelfile] = {}
    while waiting:
        left = {model.name for model in waiting}
        ready = [model for model, file in waiting.items() if file.base not in left]
        if not ready:
            names = " and ".join(sorted(map(str, left)))
            raise ValueError(f"{names}: each is built FROM the other")
        ordered.update({model: waiting.pop(model) for model in ready})
    return ordered


def find_mistakes(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(setting, problem) of each Modelfile that can't be used."""
    found = False
    seen = set()
    for index, model in enumerate(settings.models):
        found = found or model.name in seen  # named elsewhere
        seen.add(model.name)
        if model.modelfile is None:
            continue
        if model.digest is not None:
            yield f"models.{index}.digest", "a model that is built from a Modelfile has no registry digest"
        try:
            Modelfile.load(model.modelfile)
        except ValueError as error:
            found = True
            yield f"models.{index}.modelfile", str(error)
    if found:
        return
    try:
        load_modelfiles(settings)
    except ValueError as error:
        yield "models", str(error)


def _instructions(text: str) -> list[tuple[str, str]]:
    """(instruction in lower case, rest of its line), without text in triple quotes."""
    found, quoted = [], False
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if not quoted and word and not word.startswith("#"):
            found.append((word.lower(), rest.strip()))
        if line.count('"""') % 2:
            quoted = not quoted
    return found
