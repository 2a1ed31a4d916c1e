"""SSH connections to hosts, made as `ssh` would make them, with our own host key check and timeouts."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from functools import cache, partial
from random import uniform
from time import monotonic
from typing import Any, TypeVar

import gevent  # type: ignore[import-untyped]
import paramiko.client
from gevent.monkey import get_original  # type: ignore[import-untyped]
from paramiko import AuthenticationException, Channel, ChannelException, PKey, RSAKey, SSHException
from paramiko.client import SSHClient
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh_util import load_key_with_certificate

from fleethands.ssh import identities, jump_hosts, openssh
from fleethands.ssh.host_config import known_hosts, own_file, read_ssh_config
from fleethands.ssh.host_key_check import HostKeyRefused, KnownHostKeys, UnknownKeyPolicy, preferred_key_types
from fleethands.ssh.jump_hosts import JumpHostError
from fleethands.ssh.known_hosts import entry_name
from fleethands.ssh.processes import ProxyProcess
from fleethands.ssh.remote_command import begin_command
from fleethands.ssh.ssh_config import SshConfig, SshQuery
from fleethands.ssh.timeouts import CONNECT

JUMP_BANNER_TIMEOUT = 4 * CONNECT  # seconds; the logins of all jump hosts come before the banner
TRIES, LONGEST_PAUSE = 6, 3.0  # sshd's MaxStartups drops some of many connections
ENDS, SOON = 10.0, 0.05  # seconds for sshd to end the previous session, and between two attempts

T = TypeVar("T")


class SshClient(SSHClient):
    """
    Replaces pyinfra's client, which reads the user's SSH configuration itself (pyinfra 3.10, sshuserclient).

    It never forwards an agent, because root on the host could use the agent's keys.
    """

    _ssh_config: dict[str, Any]  # pyinfra reads the port from it
    _refused: SSHException
    identity_agent: str | None = None  # pyinfra reads it to try the agent's keys one by one

    def connect(self, hostname: str, **given: Any) -> None:  # type: ignore[override]
        """
        Log in to a host, with the options of pyinfra's connector.

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

    def exec_command(
        self,
        command: str,
        bufsize: int = -1,
        timeout: float | None = None,
        get_pty: bool = False,
        environment: Any = None,
    ) -> Any:
        """
        Like paramiko's, without waiting for the host's reply to the request. `read_output` raises SSHException if the
        host refused it (streams.py).
        """
        transport: Any = self.get_transport()
        has_next = transport.sessions.has_next
        channel = self._open_session(timeout)
        channel.settimeout(timeout)
        if get_pty:
            channel.get_pty()
        if environment:
            channel.update_environment(environment)
        begin_command(channel, command)
        if has_next:
            transport.sessions.prepare()
        return (
            channel.makefile_stdin("wb", bufsize),
            channel.makefile("r", bufsize),
            channel.makefile_stderr("r", bufsize),
        )

    def _families_and_addresses(self, hostname: str, port: int) -> Iterable[tuple[int, Any]]:
        """Like paramiko's, without gevent's threads for what is an address already."""
        try:
            found = get_original("socket", "getaddrinfo")(
                hostname, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except (socket.gaierror, UnicodeError):
            return super()._families_and_addresses(hostname, port)  # type: ignore[misc]
        return [(family, address) for family, _, _, _, address in found]

    def _open_session(self, timeout: float | None) -> Channel:
        """A session, with retries: with MaxSessions 1, sshd ends a session a moment after its command."""
        transport: Any = self.get_transport()
        deadline = monotonic() + ENDS
        while True:
            try:
                channel: Channel = transport.open_session(timeout=timeout)
                return channel
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
        A key of any type, with its certificate. paramiko calls this once per type and reports the last error, so the
        error of the key is raised for every type.
        """
        if klass is RSAKey:
            self._refused = AuthenticationException("Authentication failed.")
            try:
                return load_key_with_certificate(filename, password, allow_prompt=False)
            except (PyinfraError, SSHException, ValueError) as error:
                self._refused = SSHException(str(error))
        raise self._refused

    def _log_in(self, question: SshQuery, answer: SshConfig, options: dict[str, Any], begun: Any = None) -> None:
        """
        Log in to a host.

        + begun: an open route to the host
        """
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
        """A transport that asks the host for a key of the type that known_hosts has."""
        transport = paramiko.client.Transport(sock, **options)  # type: ignore[attr-defined]
        known: KnownHostKeys = self._host_keys
        security = transport.get_security_options()
        security.key_types = preferred_key_types(known.files, name, security.key_types)
        return transport


def retry_while_busy(connect: Callable[[], T]) -> T:
    """The result of a connection attempt, with retries while a jump host is busy."""
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
    The route to a host: a program, or a channel of its jump host. None for a direct connection.

    Raises JumpHostError, OSError, SSHException.
    """
    if answer.jump:
        jump_hosts.check_no_loop(question, answer, _read_config_once)
    if answer.command or (answer.jump and openssh.ssh_program()):
        return jump_hosts.start_proxy(question, answer)
    return jump_hosts.open_channel(question, answer, _read_config_once, _connect_jump_host) if answer.jump else None


@cache
def _read_config_once(question: SshQuery) -> SshConfig:
    """The configuration of a jump host, which many hosts may share."""
    return read_ssh_config(question)


def route_error(leads: Any, question: SshQuery, answer: SshConfig) -> JumpHostError | None:
    """Close a route, and return the error that its program reported, if any."""
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
