"""What `ssh -G` says is how a host is reached; hosts that a configuration does not tell apart share an answer."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import gevent  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fleethands.ssh import openssh, shared_answers
from fleethands.ssh.openssh import jump_command
from fleethands.ssh.processes import run_program
from fleethands.ssh.ssh_config import ConfigurationError, SshConfig, SshQuery
from fleethands.ssh.ssh_g_output import parse_ssh_g
from fleethands.streams import TooMuchOutput


@pytest.fixture(autouse=True)
def fresh() -> None:
    shared_answers._rules.cache_clear()
    openssh._shared.clear()


def asked(place: Path, text: str, name: str = "box", port: int | None = None, user: str | None = None) -> SshConfig:
    config = place / "config"
    config.write_text(text)
    return openssh.read_ssh_config(SshQuery(name, port, user, str(config)))


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ('Match exec "true"\n  Port 2222\n', 2222),
        ('Match exec "false"\n  Port 2222\n', 22),
        ('Match !exec "test -d /"\n  Port 2222\n', 22),
        ('Match exec "echo of its own; test %n = box"\n  Port 2222\n', 2222),
        ("Match originalhost box user ada\n  Port 2222\n", 2222),
        ("Match originalhost box user bob\n  Port 2222\n", 22),
        ("Host box\n  HostName 10.0.0.7\nMatch final host 10.0.0.7\n  Port 2222\n", 2222),
    ],
)
def test_conditions_are_those_of_ssh(text: str, port: int, tmp_path: Path) -> None:
    assert asked(tmp_path, text, user="ada").port == port


def test_what_the_inventory_says_wins(tmp_path: Path) -> None:
    answer = asked(tmp_path, "Host *\n  Port 2222\n  User bob\n  HostName 10.0.0.7\n", port=2200, user="ada")

    assert (answer.hostname, answer.port, answer.user) == ("10.0.0.7", 2200, "ada")


def test_files_keys_and_agents_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a b").touch()
    monkeypatch.setenv("THEIRS", "/run/theirs")
    text = f"""
Host box
  HostName gpu.example.net
  HostKeyAlias gpu
  UserKnownHostsFile /nowhere/first "{tmp_path}/a b" /nowhere/second
  GlobalKnownHostsFile none
  IdentityFile /keys/%h_%r
  IdentityFile none
  IdentityFile "/keys/100%% mine"
  CertificateFile /keys/%n-cert.pub
  IdentitiesOnly yes
  ProxyJump ada@a:2222,b
Host agent-*
  UserKnownHostsFile none
  ProxyJump none
Host agent-none
  IdentityAgent none
Host agent-theirs
  IdentityAgent $THEIRS
Host agent-own
  IdentityAgent SSH_AUTH_SOCK
Host agent-file
  IdentityAgent /run/agent
Host command
  ProxyCommand nc -x proxy %h %p 100%%
"""
    answer = asked(tmp_path, text, user="ada")

    assert (answer.alias, answer.identities_only, answer.jump) == ("gpu", True, "ada@a:2222,b")
    assert answer.own_files == (Path("/nowhere/first"), tmp_path / "a b", Path("/nowhere/second"))
    assert answer.shared_files == ()
    assert answer.identities == ("/keys/gpu.example.net_ada", "/keys/100% mine")
    assert answer.certificates == ("/keys/box-cert.pub",)
    assert asked(tmp_path, text, "agent-none").agent == ""
    assert asked(tmp_path, text, "agent-theirs").agent == "/run/theirs"
    assert asked(tmp_path, text, "agent-own").agent is None
    assert asked(tmp_path, text, "agent-file").agent == "/run/agent"
    assert (asked(tmp_path, text, "agent-x").jump, asked(tmp_path, text, "agent-x").own_files) == ("", ())
    assert asked(tmp_path, text, "command", port=2222).command == "nc -x proxy command 2222 100%"


def test_what_ssh_does_not_take_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="config: line 2: Bad configuration option: tunnels /"):
        asked(tmp_path, "Host *\n  Tunnels yes\n")
    with pytest.raises(ConfigurationError, match="hostname contains invalid characters"):
        asked(tmp_path, "", "-oProxyCommand=x")
    with pytest.raises(ConfigurationError, match="open user config file"):
        openssh.read_ssh_config(SshQuery("box", config=str(tmp_path / "none")))


def test_home_is_where_the_environment_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host box\n  HostName 10.0.0.7\n")

    answer = openssh.read_ssh_config(SshQuery("box"))

    assert answer.hostname == "10.0.0.7"
    assert answer.own_files[0] == tmp_path / ".ssh/known_hosts"
    assert str(tmp_path / ".ssh/id_ed25519") in answer.identities


def test_a_chain_is_passed_on_as_ssh_passes_it(tmp_path: Path) -> None:
    words = jump_command(SshQuery("box", config="/c"), SshConfig("10.0.0.7", 2222, "ada", jump="a,bob@b:23,[::1]:24"))

    assert words[-6:] == ["-J", "a,bob@b:23", "-W", "[10.0.0.7]:2222", "--", "ssh://[::1]:24"]
    assert {"-a", "BatchMode=yes"} <= {*words}
    assert [*words[1:3]] == ["-F", "/c"]


PATTERNS = ("*", "gpu-?", "gpu-*", "!gpu-1 *", "cpu-1", "GPU-1", "*.net gpu-2")
HOSTS = ("gpu-1", "gpu-2", "cpu-1", "GPU-1", "gpu-1.net", "10.0.0.7", "::1")
SETTINGS = (
    "Port 2222", "User ada", "HostName 10.0.0.7", "HostName %h.example.net", "HostName gpu-2", "HostKeyAlias x",
    "ProxyJump gpu-1", "ProxyJump none", "UserKnownHostsFile /k/%h", "IdentityFile /k/%n", "ProxyCommand nc %h %p",
)  # fmt: skip
LINES = st.lists(
    st.one_of(
        st.sampled_from(PATTERNS).map(lambda names: f"Host {names}"),
        st.sampled_from(SETTINGS).map(lambda line: f"  {line}"),
        st.sampled_from(("Match all", "Match final all", "Match user ada", "Match host 10.0.0.7")),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
@example(["ProxyCommand nc %h %p"])
@example(["HostKeyAlias x", "ProxyCommand nc %k %n"])
def test_a_shared_answer_is_the_one_that_ssh_would_give(tmp_path: Path, lines: list[str]) -> None:
    shared_answers._rules.cache_clear()
    openssh._shared.clear()
    config = tmp_path / "config"
    config.write_text("\n".join(lines) + "\n")

    for name in HOSTS:
        question = SshQuery(name, config=str(config))
        try:
            expected = parse_ssh_g(question, openssh._run_ssh_g(question))
        except ConfigurationError:
            continue  # as `ssh` itself, which takes no alias and command that contradict one another
        assert openssh.read_ssh_config(question) == expected, name


def test_many_hosts_share_one_process(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host gpu-*\n  Port 2222\nHost cpu-*\n  User bob\n")
    names = [f"{kind}-{number}" for kind in ("gpu", "cpu", "box") for number in range(300)]

    answers = {name: openssh.read_ssh_config(SshQuery(name, config=str(config))) for name in names}

    assert len(openssh._shared) == 3
    assert all(answer.hostname == name for name, answer in answers.items())
    assert (answers["gpu-299"].port, answers["cpu-299"].user, answers["box-299"].port) == (2222, "bob", 22)


def test_a_program_that_does_not_end_is_ended_with_what_it_began() -> None:
    with pytest.raises(TooMuchOutput, match="it sent more than 256 KiB"):
        run_program(["/bin/sh", "-c", "yes"])
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.5):
        run_program(["/bin/sh", "-c", "sleep 4321 & sleep 4321"])

    time.sleep(0.1)
    commands = [each.read_bytes() for each in Path("/proc").glob("[0-9]*/cmdline") if os.access(each, os.R_OK)]
    assert b"sleep\x004321\x00" not in commands
    assert signal.getsignal(signal.SIGCHLD) is not signal.SIG_IGN
