"""Every decision of an operation, as data: operations.yaml."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleethands import paths
from fleethands.facts import Probe, Unknown, UnknownSection, gpu
from fleethands.facts.apt import Apt, Package
from fleethands.facts.docker import Container, Docker, Publisher
from fleethands.facts.files import File
from fleethands.facts.network import Listener
from fleethands.facts.ollama import ModelStore, Ollama, Process, Release
from fleethands.facts.service import Service, UnitText
from fleethands.facts.system import Space
from fleethands.facts.units import Unit
from fleethands.facts.upstream import Offer, Upstream
from fleethands.operations.core.decision import Change, Refused, Unchanged, changes_of
from fleethands.operations.firewall.closed_ports import ClosedPorts
from fleethands.settings import HostSettings
from fleethands.tasks.firewall import rules
from tests.helpers.checkout import FIXTURES
from tests.hosts import bare, declared

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("operations.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_operation(case: dict[str, Any]) -> None:
    settings = declared(**case.get("data", {}))
    module, _, name = case["operation"].rpartition(".")
    decide = getattr(import_module(f"fleethands.operations.{module}"), name).decide
    arguments = {
        key: tuple(value) if isinstance(value, list) else value for key, value in case.get("arguments", {}).items()
    }

    if module == "firewall.firewall" and name != "remove_table":
        arguments["render"] = rules

    if "raises" in case:
        with pytest.raises(UnknownSection, match=case["raises"]):
            decide(settings, host(settings, case), **arguments)
        return
    probe = host(settings, case)
    decision = decide(settings, probe, **arguments)

    if "same" in case:
        assert (type(decision), decision.fact) == (Unchanged, case["same"])
        remarks(case, decision.notes)
    elif "refused" in case:
        assert isinstance(decision, Refused)
        assert decision.reason == case["refused"]
        assert "hint" not in case or case["hint"] in decision.hints
    else:
        changes = changes_of(decision)
        check_changes(case, changes)
        for change in changes:
            probe = change.predict_with_proof(probe)
        after = decide(settings, probe, **arguments)
        assert isinstance(after, Unchanged) is (case.get("then", "unchanged") == "unchanged"), after


def check_changes(case: dict[str, Any], changes: list[Change]) -> None:
    """`changes` has one pair for each change, `change` the only one; `script` variables that the scripts are given."""
    expected = case["changes"] if "changes" in case else [case["change"]]
    assert [[change.before, change.after] for change in changes] == expected
    first = changes[0]
    assert case.get("consequence", first.consequence) == first.consequence
    if "notes" in case:
        remarks(case, first.notes)
    variables = {name: value for change in reversed(changes) for name, value in change.script.values.items()}
    wanted = case.get("script", {})
    assert {name: variables.get(name) for name in wanted} == wanted


def remarks(case: dict[str, Any], notes: tuple[str, ...]) -> None:
    assert all(part in note for note, part in zip(notes, case.get("notes", []), strict=True)), notes


def host(settings: HostSettings, case: dict[str, Any]) -> Probe:
    """A bare host with what the case says is different."""
    seen = bare(settings)
    for key in [name for name in SECTIONS if name in case]:
        seen = seen.replace(**{"docker" if key == "engine" else key: SECTIONS[key](seen, case[key])})
    if "publishers" in case:
        publishers = tuple(Publisher(*each) for each in case["publishers"])
        seen = seen.replace(docker=Docker(True, "26", publishers=publishers))
    if "process" in case:
        seen = seen.replace(**_serving(settings, case))
    if "unit" in case:
        stopped = Unit("loaded", "inactive", "dead", "enabled", 0, False, (), "", 0, "success")
        unit = seen.units.get("ollama.service", stopped)
        seen = seen.replace(units={"ollama.service": replace(unit, **case["unit"])})
    seen = seen.replace(**dict.fromkeys(case.get("unknown", []), Unknown("no answer within 5 s")))
    if "closed" in case:
        closed = ClosedPorts(**{kind: tuple(those) for kind, those in case["closed"].items()})
        text = rules(settings, closed, seen.firewall.bridges)
        file = File("file", "0644", owner="root:root", content=text.encode())
        seen = seen.with_file(paths.FIREWALL_RULES, file)
    for path, content in case.get("files", {}).items():
        seen = seen.with_file(path, File("file", "0600", content=content.encode()))
    for path, target in case.get("links", {}).items():
        seen = seen.with_file(path, File("link", target=target))
    return seen


def _container(labels: dict[str, str]) -> Docker:
    return Docker(True, "26", Container("c1", "running", "sha256:1", labels, ""), "sha256:1")


def _engine(seen: Probe, row: dict[str, Any]) -> Docker:
    """What answers at Docker's socket; `installed`: whether the command is there."""
    facts = dict(row)
    installed = facts.pop("installed", True)
    for name in {"security", "rootless"} & facts.keys():
        facts[name] = frozenset(facts[name])
    if "room" in facts:
        facts["room"] = Space(*facts["room"])
    engine = replace(seen.docker.engine, **facts)
    return Docker(installed, engine.version or None if installed else None, engine=engine)


def _unit(load: str, active: str, sub: str, enabled: str) -> Unit:
    return Unit(load, active, sub, enabled, 0, False, (), "", 0, "success")


def _apt(row: dict[str, Any]) -> Apt:
    """Packages as `name`, or as [name, version, version before]."""
    kinds = {"installed", "upgraded", "downgraded", "removed", "held"} & row.keys()
    listed = {
        kind: tuple(Package(*([each] if isinstance(each, str) else each)) for each in row[kind]) for kind in kinds
    }
    return Apt(**{**row, **listed, "wanted": tuple(row["wanted"])})


def _offer(kind: str, name: str, state: str, reason: str = "", size: int | None = None) -> Offer:
    url = f"https://{'registry.ollama.ai/v2' if kind == 'model' else 'github.com'}/{name}"
    return Offer(kind, name, url, state, reason, size)


def _service(row: dict[str, Any]) -> Service:
    """`units`: path → text; `packages`, `homes`, `there`, `store` as they are; `files`: [unit, path, text]."""
    units = tuple(UnitText(path, text.encode()) for path, text in row.get("units", {}).items())
    files = tuple(UnitText(path, text.encode(), unit) for unit, path, text in row.get("files", []))
    there = frozenset(row.get("there", []))
    return Service(units, files, row.get("packages", {}), row.get("homes", {}), row.get("store", ""), there)


def _gpu(row: dict[str, Any]) -> gpu.Gpu:
    """Lines of the section; `smi`: the exit status and the file of what nvidia-smi said."""
    lines = list(row.get("lines", []))
    if "smi" in row:
        status, name = row["smi"]
        lines.append(f"smi {status} {base64.b64encode((FIXTURES / name).read_bytes()).decode()}")
    return gpu.parse_gpu(lines)


SECTIONS: dict[str, Callable[[Probe, Any], Any]] = {
    "system": lambda seen, row: replace(seen.system, **row),
    "disk": lambda seen, row: {**seen.disk, **{place: Space(*space) for place, space in row.items()}},
    "packages": lambda seen, row: frozenset(row),
    "apt": lambda seen, row: _apt(row),
    "units": lambda seen, row: {name: _unit(*each) for name, each in row.items()},
    "sockets": lambda seen, row: tuple(Listener(*each) for each in row),
    "releases": lambda seen, row: {version: Release(*each) for version, each in row.items()},
    "models": lambda seen, row: row,
    "ollama": lambda seen, row: Ollama(**row),
    "store": lambda seen, row: ModelStore(frozenset(row["unfinished"])),
    "docker": lambda seen, row: _container(row),
    "engine": _engine,
    "upstream": lambda seen, row: Upstream(tuple(_offer(*each) for each in row)),
    "gpu": lambda seen, row: _gpu(row),
    "service": lambda seen, row: _service(row),
}


def _serving(settings: HostSettings, case: dict[str, Any]) -> dict[str, Any]:
    row = case["process"]
    environment = {**settings.ollama_environment, "FLEETHANDS_REVISION": row["revision"], **row.get("environment", {})}
    exe = row.get("exe", f"/opt/ollama/{settings.ollama_version}/bin/ollama")
    unit = Unit("loaded", "active", "running", "enabled", 7, False, tuple(case.get("drop_ins", ())), "", 0, "success")
    return {
        "process": Process(7, 1, exe, environment),
        "units": {"ollama.service": unit},
        "ollama": Ollama(settings.ollama_version),
    }
