"""Options of `ssh` in Ansible's variables become an ssh_config file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fleethands.fleet.ansible.ssh_args import SshOptions, UnsupportedOption, config_files
from tests.helpers.inventories import laid


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("-o ProxyJump=me@jump:22", {"ProxyJump": "me@jump:22"}),
        ("-J jump -o ProxyJump=other", {"ProxyJump": "jump"}),
        ('-o ProxyCommand="ssh -W %h:%p -q me@jump"', {"ProxyCommand": "ssh -W %h:%p -q me@jump"}),
        ("-C -o ControlMaster=auto -oControlPersist=60s -4qJjump", {"ProxyJump": "jump"}),
        ("-o 'ConnectTimeout 5' -o userknownhostsfile=/dev/null -o StrictHostKeyChecking=no", {"ConnectTimeout": "5"}),
        ("-i ~/.ssh/k -p 2222 -l me", {"IdentityFile": "~/.ssh/k", "Port": "2222", "User": "me"}),
        ("", {}),
    ],
)
def test_options_of_ssh_are_kept_where_they_count(text: str, options: dict[str, str]) -> None:
    assert SshOptions.read(text) == SshOptions(None, options)


@pytest.mark.parametrize("text", ["jump", "-o", "-o ProxyJump", "-J 'a", "-o 'ProxyJump=a\nHost *'", "-D 1080", "-"])
def test_other_words_are_no_options(text: str) -> None:
    with pytest.raises(UnsupportedOption):
        SshOptions.read(text)


def test_options_of_hosts_stand_in_one_file_before_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    laid(tmp_path, {".ssh/config": "Host *\n    User me\n"})
    jump, none = SshOptions(None, {"ProxyJump": "jump"}), SshOptions(None, {"Port": "22"})

    found = config_files({"a": jump, "192.0.2.7": jump, "b": none})

    (path,) = set(found.values())
    assert Path(path).read_text().startswith("Host a 192.0.2.7\n    ProxyJump jump\nHost b\n    Port 22\nMatch all\n")
    told = subprocess.run(["ssh", "-G", "-F", path, "a"], capture_output=True, text=True, check=True).stdout.split("\n")
    known = f"userknownhostsfile {tmp_path}/.ssh/known_hosts {tmp_path}/.ssh/known_hosts2"
    assert {"proxyjump jump", "user me", known} <= set(told)
    assert config_files({"a": jump, "192.0.2.7": jump, "b": none}) == found
    other = config_files({"a": SshOptions(str(tmp_path / "other"), {})})
    assert Path(other["a"]).read_text() == "Host a\n"
