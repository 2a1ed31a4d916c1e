"""Turns `ssh` options of Ansible's variables into an ssh_config file."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleethands.files import PRIVATE, atomic_write
from fleethands.ssh.home import include_all

# options that pyinfra's client reads (pyinfra 3.10, connectors/sshuserclient/client.py)
_KEPT = """
ProxyJump ProxyCommand HostName User Port IdentityFile CertificateFile IdentityAgent ConnectTimeout ServerAliveInterval
UserKnownHostsFile
"""
# options without effect: host keys are always checked strictly, no agent is forwarded, and the rest does not matter
_LEFT = """
StrictHostKeyChecking CheckHostIP UpdateHostKeys HashKnownHosts VerifyHostKeyDNS GlobalKnownHostsFile ForwardAgent
ForwardX11 AddKeysToAgent ControlMaster ControlPath ControlPersist Compression LogLevel BatchMode IdentitiesOnly
PreferredAuthentications PubkeyAuthentication PasswordAuthentication KbdInteractiveAuthentication IPQoS SendEnv
ChallengeResponseAuthentication GSSAPIAuthentication GSSAPIDelegateCredentials ServerAliveCountMax TCPKeepAlive
ConnectionAttempts NumberOfPasswordPrompts RequestTTY
"""
KEPT = {name.lower(): name for name in _KEPT.split()}
LEFT = frozenset(_LEFT.lower().split())
FLAGS = "46AaCKkqTtvXx"
LETTERS = {"J": "ProxyJump", "i": "IdentityFile", "l": "User", "p": "Port"}


class UnsupportedOption(ValueError):
    """An option of ssh that fleethands does not support."""


@dataclass
class SshOptions:
    """
    The effective options of a list.

    + config: the file of `-F`; options: name in ssh_config(5) → its first value
    """

    config: str | None = None
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> SshOptions:
        """Parse the arguments of a command line. Raises UnsupportedOption."""
        found = cls()
        try:
            words = iter(shlex.split(text))
        except ValueError as error:
            raise UnsupportedOption(f"{str(error).lower()}: `{text}`") from None
        for letter, value in _letters(words):
            if letter == "F":
                found.config = found.config or value
            elif letter == "o":
                found._add(*_assigned(value))
            elif letter in LETTERS:
                found._add(LETTERS[letter], value)
        return found

    def _add(self, name: str, value: str) -> None:
        if name.lower() in LEFT or (name.lower() == "userknownhostsfile" and value == os.devnull):
            return
        if name.lower() not in KEPT or not value.isprintable():
            raise UnsupportedOption(f"ssh's option `{name}` can't be honoured")
        self.options.setdefault(KEPT[name.lower()], value)


def config_files(asked: Mapping[str, SshOptions]) -> dict[str, str]:
    """
    Host → an ssh_config file with its options on top of the user's and the system's configuration. Raises OSError.

    The files lie in this account's cache, so that hints may name them. One serves all hosts whose options name no
    other file, as pyinfra reads each file once.

    + asked: address or name that SSH connects to → its options
    """
    found: dict[str, str] = {}
    for config in {each.config for each in asked.values()}:
        hosts = {host: each.options for host, each in asked.items() if each.config == config}
        found.update(dict.fromkeys(hosts, _write_config(_text(config, hosts))))
    return found


def _text(config: str | None, hosts: Mapping[str, Mapping[str, str]]) -> str:
    blocks: dict[str, list[str]] = {}
    for host, options in hosts.items():
        blocks.setdefault("".join(f"    {name} {value}\n" for name, value in options.items()), []).append(host)
    own = "".join(f"Host {' '.join(names)}\n{block}" for block, names in blocks.items())
    if config is None:  # these options name no file of their own with `-F`
        return own + include_all(Path.home())
    base = Path(config).expanduser().absolute()
    return own + (f"Host *\n    Include {base}\n" if base.exists() else "")


def _write_config(text: str) -> str:
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fleethands/ssh"
    place = base / hashlib.sha256(text.encode()).hexdigest()[:16]
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not place.exists() or place.read_text() != text:
        atomic_write(place, text.encode(), PRIVATE)
    return str(place)


def _letters(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each option's letter with its value, like getopt: `-qo X=1`, `-oX=1`, `-J a`."""
    for word in words:
        if len(word) < 2 or word[0] != "-":
            raise UnsupportedOption(f"expected options of ssh, got `{word}`")
        rest = word[1:]
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter in FLAGS:
                continue
            if letter not in "oF" and letter not in LETTERS:
                raise UnsupportedOption(f"ssh's option `-{letter}` can't be honoured")
            value = rest or next(words, "")
            if not value:
                raise UnsupportedOption(f"ssh's option `-{letter}` lacks its value")
            yield letter, value
            break


def _assigned(text: str) -> tuple[str, str]:
    """`Name=value` or `Name value`, with or without quotes."""
    words = text.replace("=", " ", 1).split(None, 1)
    if len(words) < 2:
        raise UnsupportedOption(f"ssh's option `-o {text}` lacks its value")
    return words[0], words[1].strip().strip('"')
