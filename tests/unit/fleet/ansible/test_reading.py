"""Inventory files are read as Ansible reads them, and a mistake is named with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleethands.fleet.ansible.files import VarsFiles
from fleethands.fleet.ansible.layers import Layers
from fleethands.fleet.ansible.place import UnreadableInventory, Variable
from fleethands.fleet.ansible.reading import tree_of
from tests.helpers.checkout import FIXTURES
from tests.helpers.inventories import laid

FIXTURES = FIXTURES / "ansible"


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
