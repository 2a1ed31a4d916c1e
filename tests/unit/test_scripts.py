"""What is sent to a host holds every function that it calls there, and every variable that it asks for."""

from __future__ import annotations

import re

import pytest

from fleethands.operations.core import scripts
from fleethands.operations.core.host_script import LIBRARY, HostScript
from tests.helpers.host_scripts import host_scripts, parts_of, variable_names
from tests.lab.attacks.owned import handed_over

DEFINED = re.compile(r"^([a-z_]+)\(\) ", re.MULTILINE)
SHARED = (
    "await_confirmation",
    "common",
    "containers",
    "openhands",
    "owned",
    "revert_state",
    "spelled",
    "table_functions",
)
CALLABLE = {name: set(DEFINED.findall(scripts.read(name))) for name in SHARED}
OPENHANDS = CALLABLE["containers"] | CALLABLE["openhands"]

ASKS = re.compile(r"^: .*$", re.MULTILINE)
VARIABLE = re.compile(r"\$\{([a-z_0-9]+)(:?[?=])")  # `:=` and `=`: it may be missing
ASSIGNED = re.compile(r"(?:^|[\s;({|&])([a-z_0-9]+)=|\bread -r ([a-z_0-9 ]+)|\bfor ([a-z_0-9]+) in ")
OF_COMMON = {"step", "run", "keeps_proof"}


def asked_for(text: str) -> dict[str, bool]:
    """Variables that a script asks for at a line that begins with `:`, and whether they have to be set by then."""
    asked: dict[str, bool] = {}
    for line in ASKS.finditer(text):
        before = {name for row in ASSIGNED.findall(text[: line.start()]) for names in row for name in names.split()}
        for name, kind in VARIABLE.findall(line[0]):
            asked[name] = asked.get(name, False) or (kind.endswith("?") and name not in before)
    return asked


@pytest.mark.parametrize("name", scripts.names())
def test_a_script_has_what_openhands_needs_where_it_calls_it(name: str) -> None:
    if name in SHARED:
        pytest.skip("a shared part is no script of its own")
    called = set(re.findall(r"[a-z_]+", scripts.read(name))) & (OPENHANDS | {"previous_unit", "service_unit"})

    assert bool(called) == ({"containers", "openhands"} <= parts_of(name)), called


@pytest.mark.parametrize("kind", host_scripts(), ids=lambda kind: kind.__name__)
def test_a_script_gets_the_variables_that_it_asks_for(kind: type[HostScript]) -> None:
    names = list(variable_names(kind))
    given = set(names)
    assert sorted(given) == sorted(names), "two dataclasses of the script have a field of the same name"
    asked = asked_for(kind.body())

    missing = {name for name, required in asked.items() if required} - given - OF_COMMON
    assert (missing, given - asked.keys()) == (set(), set())


def test_a_missing_and_a_needless_variable_are_seen() -> None:
    asked = asked_for(': "${path:?}" "${mode?}" "${rest:=}"\nplace=1\nfind_it() {\n  :\n}\n: "${place:?}"\n')

    assert asked == {"path": True, "mode": True, "rest": False, "place": False}


def test_a_script_begins_with_the_library() -> None:
    for kind in host_scripts():
        assert kind.body().startswith("".join(map(scripts.read, LIBRARY))), kind


def test_an_attack_of_the_lab_calls_a_function_of_the_script_that_it_extends() -> None:
    script = handed_over("agent")

    assert script.body.splitlines()[-1].split()[0] in DEFINED.findall(script.body)
