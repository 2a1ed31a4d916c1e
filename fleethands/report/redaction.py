"""Hides the values of declared secrets: in output of a host, in a failed command, in a fact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from fleethands.report.secret_forms import SecretForm, secret_forms
from fleethands.settings import HostSettings, Secret
from fleethands.settings.declared_secrets import declared_secrets
from fleethands.settings.values.secret import MASK
from fleethands.text.sanitize import sanitize

T = TypeVar("T")
MANY = 100  # forms: with more of them, looking up parts of a text is faster than searching for each form
PART = 4  # characters of such a part
# of the characters that `sanitize` removes from between the parts of a secret, how JSON writes those of ASCII
_ESCAPED = re.compile(r"\\[ubfr]|\x7f")


class Mask:
    """
    Replaces the values of secrets in texts, in every form in which a program may write them.

    + values: of the secrets

    Example: `Mask(["hunter2"]).text("key=hunter2")` is `key=***`, with MASK for the value.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._writings = [writing for value in {*values} for writing in secret_forms(value)]
        self._by_part: dict[str, list[SecretForm]] = {}
        for each in self._writings if len(self._writings) > MANY else ():
            self._by_part.setdefault(each.core[:PART], []).append(each)
        self._lengths = {len(part) for part in self._by_part}

    def _possible(self, text: str) -> list[SecretForm]:
        """The forms that may be in a text, by the first characters of their cores."""
        if not self._by_part:
            return self._writings
        parts = {text[at : at + length] for length in self._lengths for at in range(len(text))}
        return [each for part in parts & self._by_part.keys() for each in self._by_part[part]]

    def has_nothing_to_hide(self, text: str) -> bool:
        """Whether all strings of a JSON text in ASCII would stay as they are."""
        return not _ESCAPED.search(text) and not any(each.core in text for each in self._possible(text))

    @classmethod
    def from_settings(cls, fleet: Iterable[HostSettings]) -> Mask:
        """A mask for all secrets of a fleet. A secret that cannot be read has no value to hide."""
        distinct = {id(settings): settings for settings in fleet}.values()  # hosts share the objects of equal settings
        revealed = {_revealed(secret) for settings in distinct for secret in declared_secrets(settings).values()}
        return cls({secret for secret in revealed if secret is not None})

    def text(self, text: str) -> str:
        """A text without secrets and without control characters, which may also interrupt a secret."""
        cleaned = sanitize(masked := self._masked(text))
        return cleaned if cleaned == masked else self._masked(cleaned)

    def _masked(self, text: str) -> str:
        there = [each for each in self._possible(text) if each.core in text]
        if not there:
            return text
        spans = [match.span() for each in there for match in each.pattern.finditer(text)]
        parts, end = [], 0
        for start, stop in sorted(spans):
            if start >= end:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def all(self, value: T) -> T:
        """The same value with every text in it masked, at any depth. Keys of a mapping stay as they are."""
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


NO_MASK = Mask()


def _revealed(secret: Secret) -> str | None:
    try:
        return secret.reveal()
    except ValueError:
        return None
