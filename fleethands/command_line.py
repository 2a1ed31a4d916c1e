"""The command line that was typed, and the commands to type next, which hints are made of."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from glob import escape

VARIABLES = ("ollama_env=", "openhands_env=")  # a value may be a secret that was not declared as one
CONNECTION_DATA = ("ssh_", "_")  # by which pyinfra reaches a host, and becomes root there
CHANGING = ("apply", "rollback", "uninstall")
FLEET = ("--hosts", "--exclude", "--shard")
_INCOMPLETE = re.compile(
    r"(?P<before>.*?on this machine: )fleethands (?P<command>apply|pin)(?P<options>(?: .*)?)\Z", re.DOTALL
)


@dataclass(frozen=True)
class CommandLine:
    """
    A command of fleethands, as a shell takes it. Values of variables are never printed: they may be secrets.

    + command: `apply`, `lock status`, ...
    + target: an inventory file, hosts, @local
    + hosts, exclude, shard: which of its hosts; empty for all
    + data: `KEY=VALUE` pairs
    + upstream: registries are asked
    + options: all other options, each with its value
    + yes: `--yes` was typed
    """

    command: str = ""
    target: str = ""
    hosts: str = ""
    exclude: str = ""
    shard: str = ""
    data: tuple[str, ...] = ()
    upstream: bool = False
    options: tuple[tuple[str, ...], ...] = ()
    yes: bool = False

    @classmethod
    def parse(cls, command: str, arguments: str) -> CommandLine:
        """What a report has of a command line; without the arguments if no shell could read them."""
        try:
            words = shlex.split(arguments)
        except ValueError:
            return cls(command)
        target = words.pop(0) if words and not words[0].startswith("--") else ""
        options = list(_group(words))
        given = {option[0]: option[1] for option in options if option[1:]}
        data = tuple(option[1] for option in options if option[0] == "--data" and option[1:])
        others = tuple(option for option in options if option[0] not in {"--data", "--upstream", *FLEET})
        hosts, exclude, shard = (given.get(name, "") for name in FLEET)
        return cls(command, target, hosts, exclude, shard, data, ("--upstream",) in options, others)

    def __str__(self) -> str:
        """The whole command, without `--yes`."""
        return f"fleethands {self.command} {self.arguments}".rstrip()

    @property
    def arguments(self) -> str:
        """Target and options."""
        return shlex.join(self._words())

    @property
    def repeated(self) -> str:
        """The whole command, with `--yes` if it was typed."""
        return f"{self} --yes" if self.yes else str(self)

    @property
    def fleet(self) -> CommandLine:
        """Without the options that say how: the same hosts, with the same settings."""
        return replace(self, options=(), yes=False)

    def for_command(self, command: str) -> CommandLine:
        """Another command for the same hosts, with the same settings."""
        return replace(self.fleet, command=command)

    def without(self, *names: str) -> CommandLine:
        """
        The same without some options.

        + names: as `--canary`
        """
        return replace(self, options=tuple(option for option in self.options if option[0] not in names))

    def with_data(self, pair: str) -> CommandLine:
        """The same with one more `KEY=VALUE`."""
        return replace(self, data=(*self.data, pair))

    def with_option(self, *option: str) -> CommandLine:
        """
        The same with one more option.

        + option: its name and its value
        """
        return replace(self, options=(*self.options, option))

    def waiting(self, seconds: int) -> str:
        """The whole command, which waits for the locks of other runs."""
        return f"{self.without('--lock-wait').repeated} --lock-wait {seconds}"

    def only(self, host: str) -> CommandLine:
        """The same for one host."""
        return replace(self, hosts=escape(host), exclude="", shard="")

    def reach_only(self, command: str, host: str) -> CommandLine:
        """Another command for one host, with what it takes to reach it; settings of the host are left out."""
        data = tuple(pair for pair in self.data if pair.startswith(CONNECTION_DATA))
        return CommandLine(command, self.target, data=data).only(host)

    def trust(self, host: str) -> CommandLine:
        """The command that accepts the key of a host, and of all other hosts of this command."""
        return self.for_command("trust")

    def resume_hints(self, host: str) -> list[str]:
        """
        Hints: how to complete what this command began on a host; none for a command that changes nothing.

        For a rollback they name the host, because the others would be rolled back a second time. They name the record,
        because the default depends on the proof, which no longer counts.
        """
        if self.command not in CHANGING:
            return []
        if self.command != "rollback":
            return [f"the next run completes it: `{self}`"]
        line = self.only(host)
        if any(option[0] == "--to" for option in self.options):
            return [f"the next run completes it: `{line}`"]
        return [
            f"to restore the {record} record: `{line.with_option('--to', record)}`"
            for record in ("current", "previous")
        ]

    def complete_hint(self, hint: str) -> str:
        """A hint that ends in a command for this machine, with the target and the settings of this one put in."""
        found = _INCOMPLETE.match(hint)
        return f"{found['before']}{self.for_command(found['command'])}{found['options']}" if found else hint

    def _words(self) -> Iterator[str]:
        yield from [self.target] if self.target else []
        for name, value in (("--hosts", self.hosts), ("--exclude", self.exclude)):
            yield from (name, value) if value else ()
        for pair in self.data:
            yield from ("--data", next((f"{name}…" for name in VARIABLES if pair.startswith(name)), pair))
        yield from ("--shard", self.shard) if self.shard else ()
        yield from ["--upstream"] if self.upstream else []
        for option in self.options:
            yield from option


def _group(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Each option with what follows it."""
    found: list[str] = []
    for word in words:
        if word.startswith("--") and found:
            yield tuple(found)
            found = []
        found.append(word)
    if found:
        yield tuple(found)
