"""Which variables of an inventory are settings of fleethands, and their values."""

from __future__ import annotations

from pathlib import Path

from fleethands.fleet.ansible.own_variables import is_own_variable, plain, problem_of, warnings
from fleethands.fleet.ansible.place import FileLocation, Variable

HERE = FileLocation(Path("hosts.yml"), 3)


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


def test_a_value_is_looked_through() -> None:
    assert problem_of({"a": ["x", {"b": "{{ y }}"}]})
    assert problem_of({"{{ a }}": 1})
    assert not problem_of({"a": ["{ y }", 1, None, True]})
