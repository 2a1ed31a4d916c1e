"""Values that are never shown."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from fleethands.settings.values import secret_command

MASK = "********"


class Secret:
    """
    A secret by reference, read on the controller: `Secret.env("NAME")`, `Secret.file("PATH")`, `Secret.command("…")`.
    """

    def __init__(self, kind: str, place: str) -> None:
        self._kind, self._place = kind, place

    @property
    def kind(self) -> str:
        """The kind of source: `env`, `file` or `command`."""
        return self._kind

    @property
    def place(self) -> str:
        """The variable's name, the file's path, or the command line."""
        return self._place

    @classmethod
    def env(cls, name: str) -> Secret:
        """The value of this process's environment variable `name`."""
        return cls("env", name)

    @classmethod
    def file(cls, path: str) -> Secret:
        """The content of a file on the controller, without its last newline."""
        return cls("file", path)

    @classmethod
    def command(cls, words: str | Sequence[str]) -> Secret:
        """
        The output of a command on the controller, without its last newline.

        + words: the command line, or a list of its words. No shell runs it, so `|` and `$` have no meaning.

        The command runs once in a process, however many hosts use it. The command line is shown in messages and stored
        on hosts, so it must not contain a secret.

        Example: `Secret.command("op read op://fleet/openai/key")`.
        """
        return cls("command", words if isinstance(words, str) else shlex.join(words))

    def reveal(self) -> str:
        """The value. Raises ValueError, which names only the place, if there is none."""
        if self._kind == "env":
            value = os.environ.get(self._place)
            if value is None:
                raise ValueError(f"environment variable `{self._place}` is not set")
            return value
        if self._kind == "command":
            return secret_command.run(self._place)
        try:
            return Path(self._place).expanduser().read_text(encoding="utf-8").removesuffix("\n")
        except OSError as error:
            raise ValueError(f"cannot read `{self._place}`: {error.strerror}") from None
        except ValueError:  # its text would show a part of the value
            raise ValueError(f"cannot read `{self._place}`: not text in UTF-8") from None

    def __repr__(self) -> str:
        return f"Secret.{self._kind}({self._place!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._kind, self._place) == (other._kind, other._place)

    def __hash__(self) -> int:
        return hash((self._kind, self._place))
