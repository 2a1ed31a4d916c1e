"""Ansible's inventories, read as Ansible reads them. An error names the place that only Ansible can read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleethands.fleet.ansible.connection import Connection, connection
from fleethands.fleet.ansible.files import VarsFiles
from fleethands.fleet.ansible.kind import ansible_file
from fleethands.fleet.ansible.layers import Layers
from fleethands.fleet.ansible.names import MOST, InvalidHostRange, hosts
from fleethands.fleet.ansible.notes import Notes, UnsupportedConnection, Unusable, check_connections, read_noted
from fleethands.fleet.ansible.own_variables import is_own_variable, plain, problem_of, warnings
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, Variable
from fleethands.fleet.ansible.reading import tree_of
from fleethands.fleet.ansible.ssh_args import SshOptions, UnsupportedOption, config_files
from fleethands.settings import SettingsError
from tests.helpers.checkout import FIXTURES
from tests.helpers.inventories import asked, laid, read

FIXTURES = FIXTURES / "ansible"
HERE = FileLocation(Path("hosts.yml"), 3)


def variables(path: Path, host: str) -> dict[str, Variable]:
    """What counts for a host, of all that is relevant to fleethands."""
    tree = tree_of(path)
    return Layers(tree, VarsFiles([path.parent]), {}).variables_of(host, tree.members()[host])


def below(listed: dict[str, Any], group: str) -> set[str]:
    row = listed.get(group, {})
    return {*row.get("hosts", []), *(host for child in row.get("children", []) for host in below(listed, child))}


@pytest.mark.parametrize(("name", "record"), [("hosts.ini", "listed-ini.json"), ("hosts.yml", "listed-yml.json")])
def test_hosts_groups_and_variables_are_those_that_ansible_lists(name: str, record: str) -> None:
    listed = json.loads((FIXTURES / record).read_text())
    members = tree_of(FIXTURES / name).members()

    for group in listed.keys() - {"_meta", "all"}:
        assert {host for host, own in members.items() if group in [each.name for each in own]} == below(listed, group)
    assert members.keys() == listed["_meta"]["hostvars"].keys()
    for host, theirs in listed["_meta"]["hostvars"].items():
        ours = {key: each.value for key, each in variables(FIXTURES / name, host).items()}
        theirs.pop("another_tools_variable", None)
        assert ours == {key: value.get("__ansible_unsafe", value) if isinstance(value, dict) else value
                        for key, value in theirs.items()}, host  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "names", "port"),
    [
        ("gpu-1", ["gpu-1"], None),
        ("gpu-1:2222", ["gpu-1"], 2222),
        ("web[01:10:4]", ["web01", "web05", "web09"], None),
        ("[a:c]", ["a", "b", "c"], None),
        ("r[1:2]-[x:y]:22", ["r1-x", "r1-y", "r2-x", "r2-y"], 22),
        ("n[:2]", ["n0", "n1", "n2"], None),
        ("n[9:11]", ["n9", "n10", "n11"], None),
        ("2001:db8::7", ["2001:db8::7"], None),
        ("[2001:db8::7]:22", ["2001:db8::7"], 22),
    ],
)
def test_a_name_stands_for_hosts(pattern: str, names: list[str], port: int | None) -> None:
    assert hosts(pattern) == (names, port)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("web[1]", "expected a range such as `[1:12]` or `[1:12:2]`, got `[1]`"),
        ("web[1:", "expected ranges such as `gpu[01:12]`"),
        ("web[01:100]", "expected ends of the same length"),
        ("web[5:1]", "ends before it begins"),
        ("web[1:5:0]", "expected a step from 1 on, got `0`"),
        ("web[1:b]", "expected two numbers or two letters"),
        ("web:99999", "expected a port from 1 to 65535"),
        ("---", "expected a host's name"),
        ("a b", "expected a host's name"),
        (f"n[0:{MOST}]", f"more than {MOST} hosts"),
        ("n[1:999][1:999]", f"more than {MOST} hosts"),
    ],
)
def test_another_name_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(InvalidHostRange, match=said.replace("[", r"\[")):
        hosts(pattern)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("h.ini", "[gpu]\na\n[gpu:hosts:x]\n", "line 3: `[gpu:hosts:x]`: expected a section such as"),
        ("h.ini", "[gpu:sons]\n", "line 1: `[gpu:sons]`: expected `[gpu]`"),
        ("h.ini", "[gpu]\na\n[all:children]\ngqu\n", "line 4: `[all:children]`: there is no group `gqu`"),
        ("h.ini", "[gpu:vars]\nx=1\n", "line 1: `[gpu:vars]`: there is no group `gpu`"),
        ("h.ini", "[gpu]\na b\n", "line 2: `b`: expected `KEY=VALUE` after"),
        ("h.ini", "[gpu]\na x='1\n", "line 2: no closing quotation: `a x='1`"),
        ("h.ini", "[a]\nx\n[b]\n[a:children]\nb\n[b:children]\na\n", "line 7: the group `a` would contain itself"),
        ("h.ini", "[gpu]\na\n[gpu:vars]\nmodels\n", "line 4: `models`: expected `KEY=VALUE`"),
        ("h.ini", "[gpu]\nweb[1:2\n", "line 2: `web[1:2`: expected ranges"),
        ("h.yml", "all:\n  hosts:\n   - a\n", "line 3: expected `hosts` of the group `all`: a dictionary"),
        ("h.yml", "gpu:\n  host:\n    a:\n", "line 2: `host` in the group `gpu`: expected `hosts`, `vars` or"),
        ("h.yml", "all: {hosts: {a: {x: [}}}\n", "line 1: not YAML: "),
        ("h.yml", "all:\n  hosts:\n    10:\n", "line 3: `10`: expected a name; put it in quotes"),
        ("h.yml", "- hosts: all\n  tasks: []\n", "line 1: expected an inventory"),
        ("h.yml", "all: {vars: {x: !other 1}}", "line 1: not YAML: could not determine a constructor"),
        ("h.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "line 1: encrypted by Ansible's vault"),
        ("h.yml", "plugin: amazon.aws.aws_ec2\n", "line 1: an inventory plugin, which only Ansible can ask"),
        ("h.json", '{"_meta": {}}', "line 1: the list of an inventory program"),
        ("h.toml", "[gpu]\n", "an inventory in TOML, which only Ansible reads"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = laid(tmp_path, {name: text}) / name

    with pytest.raises(UnreadableInventory) as caught:
        tree_of(path)

    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}")
    assert caught.value.hints


def test_an_inventory_that_only_ansible_reads_comes_by_ansible(tmp_path: Path) -> None:
    path = laid(tmp_path, {"aws_ec2.yml": "plugin: amazon.aws.aws_ec2\n"}) / "aws_ec2.yml"

    with pytest.raises(UnreadableInventory) as caught:
        tree_of(path)

    command = f"ansible-inventory -i {path} --list --yaml --output hosts.yml"
    assert caught.value.hints == (f"where Ansible is installed: {command}",)


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("hosts", "[gpu]\na\n", True),
        ("prod.hosts", "# own\n\n[gpu:children]\n", True),
        ("hosts", "---\nall:\n", True),
        ("hosts", "gpu = [\n    ['a'],\n]\n", False),
        ("hosts", "gpu = ['a']\n", False),
        ("h.py", "[gpu]\n", False),
        ("h.ini", "", True),
        ("h.toml", "", True),
        ("hosts", "\xff", False),
    ],
)
def test_a_file_is_known_by_its_ending_or_its_sections(tmp_path: Path, name: str, text: str, is_one: bool) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))

    assert ansible_file(str(tmp_path / name)) == (tmp_path / name if is_one else None)
    assert ansible_file(f"@ansible/{tmp_path / name}") == tmp_path / name
    assert ansible_file("root@box") is None


def reached(**declared: Any) -> Connection:
    return connection({name: Variable(value, HERE) for name, value in declared.items()})


def test_a_connection_is_said_in_pyinfras_words() -> None:
    found = reached(
        ansible_host="192.0.2.7",
        ansible_user="old",
        ansible_ssh_user="me",
        ansible_port="2222",
        ansible_ssh_private_key_file="~/.ssh/k",
        ansible_ssh_pass=1234,
        ansible_become=True,
        ansible_become_method="su",
        ansible_python_interpreter="/usr/bin/python3",
        ansible_connection="ansible.builtin.ssh",
    )

    assert (found.local, found.options, found.unusable) == (False, None, [])
    assert found.data == {
        "ssh_hostname": "192.0.2.7",
        "ssh_user": "me",
        "ssh_port": 2222,
        "ssh_key": "~/.ssh/k",
        "ssh_password": "1234",
    }
    assert reached(ansible_connection="local", ansible_host="127.0.0.1") == Connection(local=True)


@pytest.mark.parametrize(
    ("declared", "key", "said"),
    [
        ({"ansible_connection": "winrm"}, "ansible_connection", "expected `ssh` or `local`, got `winrm`"),
        ({"ansible_port": 0}, "ssh_port", "expected a port from 1 to 65535, got `0`"),
        ({"ansible_host": "{{ inventory_hostname }}.example.net"}, "ssh_hostname", "a Jinja expression"),
        ({"ansible_ssh_common_args": "-o Ciphers=aes256-ctr"}, "ssh_config_file", "`Ciphers` can't be honoured"),
        ({"ansible_ssh_args": "-W x"}, "ssh_config_file", "`-W` can't be honoured"),
        ({"ansible_ssh_private_key": "-----BEGIN"}, "ssh_key", "can't be honoured"),
    ],
)
def test_a_connection_that_can_not_be_had_stands_in_the_way(declared: dict[str, Any], key: str, said: str) -> None:
    (unusable,) = reached(**declared).unusable

    assert (unusable.key, unusable.place) == (key, HERE)
    assert said in unusable.problem


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


def test_ways_that_can_not_be_gone_are_told_at_once_for_the_hosts_that_are_meant() -> None:
    vault = Unusable("ssh_password", "ansible_password", HERE, "encrypted")
    switch = Unusable("ansible_connection", "ansible_connection", HERE, "expected `ssh`")
    notes = {"a": Notes([vault]), "b": Notes([vault]), "sw-1": Notes([switch]), "sw-2": Notes([switch])}

    with pytest.raises(UnsupportedConnection) as caught:
        check_connections(notes, {})

    assert str(caught.value).count("\nerror: ") == 1
    assert caught.value.hints == (
        "to log in by a key instead: `--data ssh_password=null`",
        "to leave out what is not for fleethands: `--exclude sw-1,sw-2`",
    )
    check_connections({"a": notes["a"]}, {"ssh_password"})


def test_variables_of_others_are_left_and_near_ones_are_not() -> None:
    said = {name: Variable(1, HERE) for name in ("nginx_port", "ollama_install_dir", "firewalls", "gpu", "models")}

    assert [name for name in (*said, "ollama_hots", "nodes") if is_own_variable(name)] == [
        "gpu",
        "models",
        "ollama_hots",
    ]
    assert warnings(said) == [
        "hosts.yml, line 3: `ollama_install_dir` is left to Ansible: no such setting, nearest is `ollama_models_dir`",
        "hosts.yml, line 3: `firewalls` is left to Ansible: no such setting, nearest is `firewall`",
    ]


def test_values_of_an_ini_file_are_texts_but_for_two() -> None:
    ini = FileLocation(Path("hosts"), 1)

    assert [plain(Variable(each, ini)) for each in ("true", "False", "yes", "off", 7)] == [True, False, "yes", "off", 7]
    assert plain(Variable("true", HERE)) == "true"


YAML = """
all:
  hosts:
    a:
  children:
    gpu:
      hosts: {g1: , g2: }
      vars:
        models: ["{{ model }}"]
        ollama_env: {KEY: !vault "x"}
        openhands_workspace: !unsafe "/srv/{{x}}"
        openhands_port: 0
        ansible_host: "{{ lookup('x') }}"
    other:
      hosts: {win: }
      vars: {ansible_connection: winrm, models: "{{ x }}"}
"""


def test_what_only_ansible_can_read_hinders_the_hosts_that_are_meant(tmp_path: Path) -> None:
    vault = "$ANSIBLE_VAULT;1.1;AES256\n61\n"
    models = "models: [m:1]\nopenhands_flavor: 'off'\n"
    laid(tmp_path, {"hosts.yml": YAML, "host_vars/a.yml": models, "group_vars/gpu/vault.yml": vault})
    laid(tmp_path, {"group_vars/all.yml": "ollama_hots: 1\nollama_models: [x]\n"})

    here, gpu, given, right, win = read(
        tmp_path,
        asked("hosts.yml", "a"),
        asked("hosts.yml", "gpu"),
        asked("hosts.yml", "g1", ssh_hostname="192.0.2.1"),
        asked(
            "hosts.yml",
            "g1",
            ssh_hostname="192.0.2.1",
            models=["m:1"],
            ollama_env={},
            openhands_port=3001,
            ollama_hots=None,
        ),
        asked("hosts.yml", "all"),
    )

    assert "a: `ollama_hots`: no such setting, nearest is `ollama_host`" in here["error"]
    assert gpu["error"] == ("hosts.yml, line 13: `ansible_host`: a Jinja expression, which only Ansible can evaluate")
    assert gpu["hints"] == ["write the value itself there, or set it: `--data ssh_hostname=…`"]
    assert "g1: `models`: a Jinja expression, which only Ansible can evaluate (hosts.yml, line 9)" in given["error"]
    assert "g1: `ollama_env`: encrypted by Ansible's vault, and not read (hosts.yml, line 10)" in given["error"]
    assert "g1: `openhands_port`: expected a port from 1 to 65535, got `0` (hosts.yml, line 12)" in given["error"]
    assert given["error"].count("`models`") == 1
    assert right["error"].startswith("error: g1: `ollama_hots`: no such setting")
    assert "hosts.yml, line 16: `ansible_connection`: expected `ssh` or `local`, got `winrm`" in win["error"]


def test_what_is_not_read_is_said_beside(tmp_path: Path) -> None:
    laid(tmp_path, {"hosts.ini": "[gpu]\na\nhere ansible_connection=local\n", "group_vars/all": "models: [m:1]\n"})
    laid(tmp_path, {"host_vars/a/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n61\n", "host_vars/a/x.yml": "ollama_dir: 1\n"})

    (found,) = read(tmp_path, asked("hosts.ini"))

    assert set(found["hosts"]) == {"a", "@local"}
    assert found["warnings"] == [
        "host_vars/a/x.yml, line 1: `ollama_dir` is left to Ansible: no such setting, nearest is `ollama_url`",
        "host_vars/a/vault.yml: encrypted by Ansible's vault, and not read",
    ]


def test_a_mistake_says_where_it_is_declared_but_for_what_is_given() -> None:
    notes = {"a": Notes(places={"openhands_port": HERE}), "b": Notes(settings=[Unusable("gpu", "gpu", HERE, "Jinja")])}
    fleet = {"a": {"models": ["m"], "openhands_port": 0}}

    for given, said in (((), "got `0` (hosts.yml, line 3)"), (("openhands_port",), "got `0`")):
        with pytest.raises(SettingsError) as caught:
            read_noted(fleet, notes, given)
        assert str(caught.value).endswith(said)


def test_a_value_is_looked_through() -> None:
    assert problem_of({"a": ["x", {"b": "{{ y }}"}]})
    assert problem_of({"{{ a }}": 1})
    assert not problem_of({"a": ["{ y }", 1, None, True]})


def test_secrets_in_yaml_are_read_and_a_misspelled_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2\n")
    text = "gpu: {{hosts: {{a: {{models: [m], ollama_env: {{OLLAMA_API_KEY: {{{0}: key}}}}}}}}}}\n"
    laid(tmp_path, {"right.yml": text.format("secret_file"), "wrong.yml": text.format("secret_fiel")})

    right, wrong = read(tmp_path, asked("right.yml"), asked("wrong.yml"))

    assert right["hosts"]["a"]["ollama_env"] == {"OLLAMA_API_KEY": {"secret": "file", "place": "key"}}
    assert "`OLLAMA_API_KEY`: expected `secret_file`, got `secret_fiel` (wrong.yml, line 1)" in wrong["error"]
