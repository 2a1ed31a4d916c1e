"""Values of declared secrets, wherever they come back: in a host's own words, in a failed command, in a fact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, urlsplit

from fleethands.rollout.printable import clean
from fleethands.settings import HostSettings, Secret
from fleethands.settings.secret import MASK
from fleethands.systemd import word

SHORT = 4  # characters: a shorter value is masked where it stands alone, else `on` would go from every `connection`
T = TypeVar("T")


class Mask:
    """Takes the values of secrets out of texts, in each way in which they may be written there."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values for form in _forms(value)}
        patterns = [_pattern(form) for form in sorted(forms, key=len, reverse=True) if form.strip()]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    @classmethod
    def of(cls, fleet: Iterable[HostSettings]) -> Mask:
        """The mask of all secrets that a fleet declares."""
        return cls({secret.reveal() for settings in fleet for secret in _declared(settings)})

    def text(self, text: str) -> str:
        """A text without secrets, and without what a terminal would act on."""
        return clean(self._pattern.sub(MASK, text) if self._pattern else text)

    def all(self, value: T) -> T:
        """The same value with every text in it masked, however deep it lies; names of a mapping stay."""
        masked: Any = self._all(value)
        return masked

    def _all(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{each.name: self._all(getattr(value, each.name)) for each in fields(value)})
        if isinstance(value, dict):
            return {key: self._all(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._all(each) for each in value)
        return value


NOTHING = Mask()


def _declared(settings: HostSettings) -> list[Secret]:
    values = [*settings.ollama_env.values(), *settings.openhands_env.values()]
    return [value for value in values if isinstance(value, Secret)]


def _forms(value: str) -> set[str]:
    """The value as such, and as JSON, an address, systemd and a URL's password have it; each of its lines."""
    whole = {value, *(line.strip() for line in value.splitlines())}
    with suppress(ValueError):  # it need not be an address
        whole.add(urlsplit(value).password or value)
    return {form for each in whole for form in (each, *_written(each))}


def _written(value: str) -> list[str]:
    return [json.dumps(value)[1:-1], quote(value, safe=""), quote(value), quote_plus(value), word(value)[1:-1]]


def _pattern(form: str) -> str:
    return re.escape(form) if len(form) >= SHORT else rf"(?<!\w){re.escape(form)}(?!\w)"
