"""Connections to hosts: where and as whom `ssh` would make them, with host keys and limits of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from random import uniform
from time import monotonic
from typing import Any, TypeVar

import gevent  # type: ignore[import-untyped]
import paramiko.client
from paramiko import AuthenticationException, ChannelException, PKey, RSAKey, SSHException
from paramiko.client import SSHClient
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh_util import load_key_with_certificate

from fleethands.ssh import identities, jump_hosts, openssh, without_openssh
from fleethands.ssh.host_key_check import HostKeyRefused, KnownHostKeys, UnknownKeyPolicy, preferred_key_types
from fleethands.ssh.jump_hosts import JumpHostError
from fleethands.ssh.known_hosts import entry_name
from fleethands.ssh.openssh import SshConfig, SshQuery
from fleethands.ssh.processes import ProxyProcess
from fleethands.ssh.timeouts import CONNECT

JUMP_BANNER_TIMEOUT = 4 * CONNECT  # seconds until a host greets through jump hosts that each have a login of their own
TRIES, LONGEST_PAUSE = 6, 3.0  # sshd's MaxStartups drops some of many
ENDS, SOON = 10.0, 0.05  # seconds in which sshd has ended the session before, and between two looks

T = TypeVar("T")


def read_ssh_config(question: SshQuery) -> SshConfig:
    """How a host is reached: as `ssh` says; where that is not installed, as far as paramiko can read its files."""
    return openssh.read_ssh_config(question) if openssh.ssh_program() else without_openssh.read_ssh_config(question)


def ignored_config_lines(hosts: Iterable[Any]) -> list[str]:
    """Lines of the configuration that do not count, in words; there are none where `ssh` is installed."""
    if openssh.ssh_program():
        return []
    lines: dict[str, None] = {}
    for config in {host.data.get("ssh_config_file") or None for host in hosts if not host.name.startswith("@")}:
        with suppress(OSError, ValueError):  # which is an error of each host
            lines.update(dict.fromkeys(map(str, without_openssh.ignored_lines(config))))
    why = "is left out, with what stands below it: `ssh` alone can judge it, and is not installed here"
    return [f"{line} {why}" for line in lines]


def ssh_query_for(host: Any) -> SshQuery:
    """What `ssh` is asked about a host of pyinfra's: its name, and whatever the inventory itself says."""
    data = host.data
    port, config = data.get("ssh_port"), data.get("ssh_config_file")
    name = data.get("ssh_hostname") or host.name
    return SshQuery(str(name), int(port) if port else None, data.get("ssh_user") or None, config or None)


def known_hosts(answer: SshConfig, given: str | None) -> tuple[Path, ...]:
    """
    The files that say what a host's key is.

    + given: the one that the inventory names, in the place of all
    """
    return (Path(given).expanduser(),) if given else (*answer.own_files, *answer.shared_files)


def own_file(answer: SshConfig, given: str | None) -> Path | None:
    """The file that new keys are added to; None where the configuration has none of the user's."""
    return Path(given).expanduser() if given else next(iter(answer.own_files), None)


class SshClient(SSHClient):
    """
    In the place of pyinfra's, which reads the user's ssh configuration by itself (pyinfra 3.10, sshuserclient).

    No agent is forwarded, whatever the configuration says: whoever is root on a host could use its keys.
    """

    _ssh_config: dict[str, Any]  # pyinfra reads the port from it
    _refused: SSHException
    identity_agent: str | None = None  # and this, where it tries keys of the agent one by one

    def connect(self, hostname: str, **given: Any) -> None:  # type: ignore[override]
        """
        Log in to a host, by the options that pyinfra's connector gives.

        Raises JumpHostError, HostKeyRefused, and what paramiko raises.
        """
        ours = {name: given.pop(name) for name in list(given) if name.startswith("_pyinfra_ssh_")}
        config = ours.get("_pyinfra_ssh_config_file") or None
        question = SshQuery(hostname, given.pop("port", None), given.pop("username", None), config)
        answer = read_ssh_config(question)
        self._expect(
            answer, ours.get("_pyinfra_ssh_known_hosts_file"), ours.get("_pyinfra_ssh_strict_host_key_checking")
        )
        options = {
            **given,
            **identities.options(answer, given),
            **(ours.get("_pyinfra_ssh_paramiko_connect_kwargs") or {}),
        }
        self._ssh_config, self.identity_agent = {"port": answer.port}, answer.agent
        self._agent = identities.agent(answer)
        retry_while_busy(lambda: self._log_in(question, answer, options))

    def exec_command(self, *words: Any, **options: Any) -> Any:
        """As paramiko does. Where sshd allows one session (MaxSessions 1), it ends one a moment after its command."""
        deadline = monotonic() + ENDS
        while True:
            try:
                return super().exec_command(*words, **options)
            except ChannelException:
                if monotonic() > deadline:
                    raise
            gevent.sleep(SOON)

    def _expect(self, answer: SshConfig, given: str | None, strict: str | None) -> None:
        self._host_keys = KnownHostKeys(known_hosts(answer, given), answer.alias)
        own = own_file(answer, given)
        self._host_keys_filename = str(own) if own else None
        self.set_missing_host_key_policy(UnknownKeyPolicy(strict or answer.strict))

    def _key_from_filepath(self, filename: str, klass: type, password: str | None) -> PKey:
        """
        A key with its certificate, whatever its type. paramiko asks once for each type, and tells the last error: it
        gets that of the key.
        """
        if klass is RSAKey:
            self._refused = AuthenticationException("Authentication failed.")
            try:
                return load_key_with_certificate(filename, password, allow_prompt=False)
            except (PyinfraError, SSHException, ValueError) as error:
                self._refused = SSHException(str(error))
        raise self._refused

    def _log_in(self, question: SshQuery, answer: SshConfig, options: dict[str, Any], begun: Any = None) -> None:
        """+ begun: what leads to the host already."""
        leads = begun or open_route(question, answer)
        if leads is not None:
            options = {**options, "banner_timeout": max(JUMP_BANNER_TIMEOUT, options.get("banner_timeout") or 0)}
        name = answer.alias or entry_name(answer.hostname, answer.port)
        options = {"sock": leads, "transport_factory": partial(self._transport_to, name), **options}
        try:
            super().connect(answer.hostname, answer.port, answer.user, **options)
        except (HostKeyRefused, AuthenticationException):
            raise
        except (SSHException, OSError, EOFError) as error:
            raise route_error(leads, question, answer) or error from error

    def _transport_to(self, name: str, sock: Any, **options: Any) -> Any:
        """A connection that asks for the host's key in the way in which it is known."""
        transport = paramiko.client.Transport(sock, **options)  # type: ignore[attr-defined]
        known: KnownHostKeys = self._host_keys
        security = transport.get_security_options()
        security.key_types = preferred_key_types(known.files, name, security.key_types)
        return transport


def retry_while_busy(connect: Callable[[], T]) -> T:
    """What a connection gives; it is tried again where a jump host is busy."""
    for _ in range(TRIES - 1):
        try:
            return connect()
        except JumpHostError as error:
            if not error.busy:
                raise
        gevent.sleep(uniform(0.1, LONGEST_PAUSE))  # noqa: S311
    return connect()


def open_route(question: SshQuery, answer: SshConfig) -> Any:
    """
    What leads to a host: a program, or a channel of its jump host; None for a connection of its own.

    Raises JumpHostError, OSError, SSHException.
    """
    if answer.jump:
        jump_hosts.check_no_loop(question, answer, _read_config_once)
    if answer.command or (answer.jump and openssh.ssh_program()):
        return jump_hosts.start_proxy(question, answer)
    return jump_hosts.open_channel(question, answer, _read_config_once, _connect_jump_host) if answer.jump else None


@cache
def _read_config_once(question: SshQuery) -> SshConfig:
    """Of a jump host, which many lead through."""
    return read_ssh_config(question)


def route_error(leads: Any, question: SshQuery, answer: SshConfig) -> JumpHostError | None:
    """Why what leads to a host does not, None where it did not complain; it is ended."""
    if not isinstance(leads, ProxyProcess):
        return None
    said = leads.last_words()
    leads.close()
    return jump_hosts.explain_proxy_error(said, question, answer, _read_config_once)


def _connect_jump_host(question: SshQuery, begun: Any) -> Any:
    """The transport of a jump host, logged in. Raises JumpHostError."""
    client, answer, by_hand = SshClient(), read_ssh_config(question), [f"try: `{question.command('-v')}`"]
    client._expect(answer, None, None)
    options = {"timeout": CONNECT, "auth_timeout": CONNECT, "channel_timeout": 2 * CONNECT}
    try:
        leads = begun or open_route(question, answer)
        client._agent = identities.agent(answer)
        client._log_in(question, answer, {**options, **identities.options(answer, {})}, leads)
    except HostKeyRefused as error:
        raise JumpHostError(jump_hosts.explain_jump_key(error.name, error.verdict, question.command())) from error
    except AuthenticationException as error:
        raise JumpHostError((f"its jump host {question.name} refuses the login: {error}", by_hand)) from error
    except JumpHostError:
        raise
    except (SSHException, OSError, EOFError) as error:
        raise JumpHostError((f"its jump host {question.name} is unreachable: {error}", by_hand), busy=True) from error
    return client.get_transport()
