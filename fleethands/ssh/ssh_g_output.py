"""Parses the output of `ssh -G`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from fleethands.ssh import home
from fleethands.ssh.ssh_config import NONE, ConfigurationError, SshConfig, SshQuery


def parse_ssh_g(question: SshQuery, text: str, asked: str = "") -> SshConfig:
    """
    The configuration of a host, from the output of `ssh -G`.

    + asked: the host name that `ssh -G` ran for; where the output has it as the address, this host's own name is used

    Raises ConfigurationError for an output without host name, port and user.
    """
    lines = _values(text)
    one = {keyword: values[0] for keyword, values in lines.items()}
    try:
        hostname, port, user = one["hostname"], int(one["port"]), one["user"]
    except (KeyError, ValueError):
        raise ConfigurationError(f"the answer of `ssh -G {question.name}` does not read as expected") from None
    hostname = question.name.lower() if hostname == asked else hostname
    answer = SshConfig(hostname, port, user, alias=one.get("hostkeyalias", ""))
    tokens = _Tokens(question, answer)
    return replace(
        answer,
        identities=tuple(tokens.path(each) for each in lines.get("identityfile", ()) if each != NONE),
        certificates=tuple(tokens.path(each) for each in lines.get("certificatefile", ()) if each != NONE),
        identities_only=one.get("identitiesonly") in {"yes", "true"},
        agent=_agent(one.get("identityagent")),
        own_files=_files(one.get("userknownhostsfile", NONE), Path.home()),
        shared_files=_files(one.get("globalknownhostsfile", NONE), Path.home()),
        jump=one.get("proxyjump", "").removeprefix(NONE),
        command=tokens.expanded(one.get("proxycommand", "")).removeprefix(NONE),
        strict=one.get("stricthostkeychecking", "ask"),
    )


@lru_cache(maxsize=16)  # many hosts share a text
def _values(text: str) -> Mapping[str, Sequence[str]]:
    """Keyword in lower case → its values."""
    lines: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        lines.setdefault(keyword.lower(), []).append(value.strip())
    return lines


class _Tokens:
    """Percent tokens and variables that `ssh -G` does not expand (ssh_config(5), TOKENS)."""

    def __init__(self, question: SshQuery, answer: SshConfig) -> None:
        local = os.uname().nodename
        self._values = {
            "%": "%", "d": str(home.account_home()), "h": answer.hostname, "i": str(os.getuid()),
            "k": answer.alias or answer.hostname, "L": local.partition(".")[0], "l": local, "n": question.name,
            "p": str(answer.port), "r": answer.user, "u": home.user_name(), "j": "",
        }  # fmt: skip

    def expanded(self, text: str) -> str:
        """The text with its percent tokens expanded. Unknown tokens stay."""
        parts = iter(text.split("%"))
        whole = next(parts)
        for part in parts:
            letter = part[:1] or "%"
            rest = part[1:] if part else next(parts, "")
            whole += self._values.get(letter, f"%{letter}") + rest
        return whole

    def path(self, text: str) -> str:
        """A file's path."""
        return home.expand_home(os.path.expandvars(self.expanded(text)))


def _agent(value: str | None) -> str | None:
    if value is None or value == "SSH_AUTH_SOCK":
        return None
    if value.startswith("$"):
        return os.environ.get(value.strip("${}"), "")
    return "" if value == NONE else home.expand_home(value)


@lru_cache(maxsize=16)
def _files(value: str, _home: Path) -> tuple[Path, ...]:
    """The paths of a line. `ssh -G` does not quote spaces, so the longest text that is an existing file is one path."""
    words, found = value.split(" "), []
    while words:
        ends = range(len(words), 1, -1)
        end = next((each for each in ends if os.path.exists(home.expand_home(" ".join(words[:each])))), 1)
        found.append(home.expand_home(" ".join(words[:end])))
        del words[:end]
    return tuple(Path(each) for each in found if each not in {NONE, ""})
