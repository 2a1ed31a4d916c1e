"""Hints for a fleet that a program built: calls of the Python API in place of command lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch

from fleethands.command_line import CommandLine

METHODS = ("plan", "apply", "verify", "status", "rollback")
KEYWORDS = ("--to", "--verify", "--lock-wait")
STRATEGY = {"--canary", "--batch", "--max-fail", "--order", "--no-rollback", "--max-slowdown"}


@dataclass(frozen=True)
class CodeLine(CommandLine):
    """
    A call of a fleet without an inventory file. No command line has the same hosts with the same settings.

    + connections: host → `KEY=VALUE` pairs by which it is reached
    """

    connections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.command not in METHODS:
            return str(self._for_hosts(self.command))
        fleet = f"fleet.select({self.hosts!r})" if self.hosts else "fleet"
        return f"{fleet}.{self.command}({', '.join(self._parameters())})"

    @property
    def arguments(self) -> str:
        """Empty: a report of this fleet names no command to type."""
        return ""

    @property
    def repeated(self) -> str:
        return str(self)

    def waiting(self, seconds: int) -> str:
        return str(self.without("--lock-wait").with_option("--lock-wait", str(seconds)))

    def reach_only(self, command: str, host: str) -> CommandLine:
        return CommandLine(command, host, data=self.connections.get(host, ()))

    def trust(self, host: str) -> CommandLine:
        return self.reach_only("trust", host)

    def complete_hint(self, hint: str) -> str:
        whole = super().complete_hint(hint)
        if whole == hint or " --" not in whole:
            return whole
        before, _, options = whole.partition(" --")
        parsed = CommandLine.parse("", f"--{options}")
        for command in METHODS:
            if before.endswith(bare := str(self.for_command(command))):
                return f"{before.removesuffix(bare)}{replace(self.for_command(command), options=parsed.options)}"
        return whole

    def _for_hosts(self, command: str) -> CommandLine:
        """A command of the command line for the same hosts, with what it takes to reach all of them."""
        names = [name for name in self.connections if not self.hosts or fnmatch(name, self.hosts) or name == self.hosts]
        pairs = self.connections[names[0]] if names else ()
        pairs = tuple(pair for pair in pairs if all(pair in self.connections[name] for name in names))
        return CommandLine(command, ",".join(names), data=pairs, options=self.options)

    def _parameters(self) -> list[str]:
        """The parameters in their order: strategy first, then those with a keyword."""
        given = {option[0]: "".join(option[1:]) for option in self.options}
        strategy = ["strategy"] if STRATEGY & given.keys() else []
        keywords = [f"{_name(key)}={_value(given[key])}" for key in KEYWORDS if key in given]
        files = [option[1] for option in self.options if option[0] == "--bundle"]
        keywords += [f"bundle={files!r}"] if files else []
        flags = [f"{name}=True" for name in ("checksums", "conversation") if f"--{name}" in given]
        return [*strategy, *keywords, *flags, *(["upstream=True"] if self.upstream else [])]


def _name(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _value(text: str) -> str:
    return text if text.isdecimal() else f'"{text}"'
