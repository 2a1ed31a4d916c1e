"""Any string is refused by the settings, or arrives byte for byte: as systemd, the kernel, a shell or Ollama has it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe_request import ProbeRequest
from fleethands.operations.system.system import CreateDirectory, WriteFile
from fleethands.paths import BINARY, OLLAMA_HOME
from fleethands.script import Script
from fleethands.settings import HostSettings, SettingsError
from fleethands.settings.validation.encodable import MAX_BYTES
from fleethands.tasks import render
from tests.hosts import declared
from tests.lab import fleet, hostile, observe
from tests.lab.host import Host
from tests.lab.lab import Lab

PATHS = [
    "/srv/back\\slash\\n\\",
    "/srv/ two  spaces ",
    "/srv/100%n",
    "/srv/\"of\" 'it'",
    "/srv/$HOME/`id`",
    "/srv/é\u2028",
]
UNITS = "/run/systemd/system"
OUTPUT = "/run/fh-values"
HIDDEN = "_HIDDEN"
SERVICE = f"[Service]\nType=oneshot\nExecStart=/usr/bin/cat /proc/self/environ\nStandardOutput=truncate:{OUTPUT}\n"
BUS = "busctl --json=short get-property org.freedesktop.systemd1 /org/freedesktop/systemd1/unit"
T = TypeVar("T")


def lists(sample: int, soak: int) -> Any:
    """How many lists of values a test tries: a few by `make test`, the rest by `make soak`; the same ones each time."""
    return pytest.mark.parametrize(
        "count", [pytest.param(sample, id="sample"), pytest.param(soak, id="soak", marks=pytest.mark.soak)]
    )


def try_all(values: st.SearchStrategy[T], size: int, count: int, check: Callable[[list[T]], None]) -> None:
    """Check `count` lists of `size` values. Nothing is shrunk: a check names each value that did not arrive."""
    tried = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(values, min_size=size, max_size=size, unique=True))
    def run(drawn: list[T]) -> None:
        tried.append(drawn)
        check(drawn)

    run()
    assert len(tried) >= count


def accepted(**data: Any) -> HostSettings | None:
    """Settings with this data; None where they are refused."""
    try:
        return declared(**data)
    except SettingsError:
        return None


def on(host: Host, script: Script) -> str:
    """What one of the product's scripts says there."""
    return host.run("sh -s", stdin=script.text).stdout


@pytest.fixture(params=["lab-2", "lab-3"], ids=["trixie", "bookworm"])
def debian(lab: Lab, request: pytest.FixtureRequest) -> Host:
    """A host as Debian left it: systemd 257, and 252."""
    host = lab[request.param]
    host.restore("clean")
    return host


def variables(values: Iterable[str]) -> dict[str, str]:
    """What is accepted of these as a variable of Ollama's, as an origin and as a duration, under names of its own."""
    ways: dict[str, Callable[[str], dict[str, Any]]] = {
        "OLLAMA_LLM_LIBRARY": lambda value: {"ollama_env": {"OLLAMA_LLM_LIBRARY": value}},
        "OLLAMA_ORIGINS": lambda value: {"ollama_origins": [value]},
        "OLLAMA_KEEP_ALIVE": lambda value: {"ollama_keep_alive": value},
    }
    found = {}
    for number, value in enumerate(values):
        for name, data in ways.items():
            if wanted := accepted(**data(value)):
                assert wanted.ollama_environment[name] == value
                found[f"{name}_{number}"] = value
    return found


def served(host: Host, environment: dict[str, str]) -> tuple[dict[bytes, bytes], dict[str, str]]:
    """
    The variables as a process of a unit with the product's own drop-in has them, and as systemd says.

    The process has each a second time, as a secret.
    """
    plain, file = tuple(environment.items()), f"{UNITS}/fh-values.env"
    secrets = tuple((f"{name}{HIDDEN}", value) for name, value in plain)
    override = render("override.conf.j2", environment=plain, secrets_file=file, revision="0123456789abcdef")
    written = {
        "fh-values.service": SERVICE,
        "fh-values.service.d/50.conf": override,
        "fh-values.env": render("ollama.env.j2", secrets=secrets, revision=""),
    }
    for name, content in written.items():
        on(host, WriteFile(f"{UNITS}/{name}", "0644", "root:root", content).script)
    told = host.run(
        f"systemctl daemon-reload && systemctl start fh-values && base64 -w 0 < {OUTPUT} && echo"
        f" && {BUS}/fh_2dvalues_2eservice org.freedesktop.systemd1.Service Environment"
    ).stdout
    kernels, systemds = told.rstrip("\n").split("\n")  # a value may hold what splitlines() takes for an end
    lines = [line.partition(b"=") for line in base64.b64decode(kernels).split(b"\0")]
    pairs = [text.partition("=") for text in json.loads(systemds)["data"]]
    return {name: value for name, _, value in lines}, {name: value for name, _, value in pairs}


@lists(sample=3, soak=40)
def test_a_variable_arrives_as_it_was_declared(debian: Host, count: int) -> None:
    arrived: list[str] = []

    def check(values: list[str]) -> None:
        wanted = variables(values)
        process, unit = served(debian, wanted)
        for way in ("", HIDDEN):
            assert {name: process.get(f"{name}{way}".encode()) for name in wanted} == {
                name: value.encode() for name, value in wanted.items()
            }
        assert not [name for name in unit if name.endswith(HIDDEN)]
        assert {name: unit.get(name) for name in wanted} == wanted
        assert unit["FLEETHANDS_REVISION"] == "0123456789abcdef"  # the last line of the file
        arrived.extend(wanted)

    try_all(hostile.texts | hostile.origins, 20, count, check)
    assert len(arrived) > 10 * count


def test_every_character_arrives_or_is_refused(debian: Host) -> None:
    codes = [*range(0x300), 0x2028, 0x2029, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFDD0, 0xFDEF, 0xFDF0, 0xFEFF, 0xFFFD]
    codes += [0xFFFE, 0xFFFF, 0x10000, 0x1F600, 0x1FFFE, 0x1FFFF, 0x10FFFD, 0x10FFFE, 0x10FFFF]
    every = {code: accepted(ollama_env={"OLLAMA_LLM_LIBRARY": f"x{chr(code)}-{chr(code)}x"}) for code in codes}
    wanted = {f"U{code:X}": found.ollama_environment["OLLAMA_LLM_LIBRARY"] for code, found in every.items() if found}
    process, unit = served(debian, wanted)

    for way in ("", HIDDEN):
        assert {name: process[f"{name}{way}".encode()].decode() for name in wanted} == wanted
    assert {name: unit[name] for name in wanted} == wanted
    assert [code for code, found in every.items() if not found] == [
        *(0x0, 0xD800, 0xDFFF, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x1FFFF, 0x10FFFE, 0x10FFFF)
    ]


@lists(sample=3, soak=20)
def test_a_script_has_its_values_as_they_are(debian: Host, count: int) -> None:
    def check(values: list[str]) -> None:
        wanted = variables(values)
        names = " ".join(wanted)
        body = f'exported\nfor name in {names}; do eval "printf %s \\"\\${{$name}}\\"" | base64 -w 0; echo; done\n'
        body += "cat /proc/self/environ | base64 -w 0"
        *seen, environ = on(debian, Script(body, wanted, wanted)).splitlines()
        assert [base64.b64decode(line) for line in seen] == [value.encode() for value in wanted.values()]
        exported = set(base64.b64decode(environ).split(b"\0"))
        assert {f"{name}={value}".encode() for name, value in wanted.items()} <= exported

    try_all(hostile.texts, 20, count, check)


@pytest.mark.soak
@pytest.mark.parametrize("count", [10])
def test_a_path_arrives_as_it_was_declared(debian: Host, count: int) -> None:
    """In systemd's own lists, in a directory that the product created, and in the probe's answer."""
    arrived = []

    def check(values: list[str]) -> None:
        for number, value in enumerate(values):
            ways = {"ollama_models_dir": value, "openhands_workspace": f"{value}-w"}
            data = {key: path for key, path in ways.items() if accepted(**{key: path})}
            wanted = declared(**data)
            assert data == {key: path for key, path in data.items() if getattr(wanted, key) == PurePosixPath(path)}
            if wanted.ollama_models_dir is not None:
                _unit_names(debian, f"fh-values-{number}", str(wanted.ollama_models_dir))
            if data:
                _made_and_seen(debian, wanted, [str(PurePosixPath(path)) for path in data.values()])
                arrived.append(value)
        debian.run("find /srv -mindepth 1 -delete")

    check(PATHS)
    try_all(hostile.paths, 10, count, check)
    assert len(arrived) >= 2 * count


def _unit_names(host: Host, name: str, path: str) -> None:
    """The product's own unit with this path."""
    unit = render("ollama.service.j2", binary=BINARY, home=OLLAMA_HOME, own_home=OLLAMA_HOME, models_dir=path)
    on(host, WriteFile(f"{UNITS}/{name}.service", "0644", "root:root", unit).script)
    place = f"{BUS}/{name.replace('-', '_2d')}_2eservice org.freedesktop.systemd1"
    told = host.run(f"systemctl daemon-reload; {place}.Unit RequiresMountsFor; {place}.Service ReadWritePaths").stdout
    mounts, writable = (json.loads(line)["data"] for line in told.rstrip("\n").split("\n"))
    assert path in mounts
    assert writable == [OLLAMA_HOME, f"-{path}"]


def _made_and_seen(host: Host, wanted: HostSettings, places: list[str]) -> None:
    for place in places:
        on(host, CreateDirectory(place, "root:root", "0755").script)
    question = ProbeRequest.create(wanted)
    seen = parse_probe(host.run("sh -s", stdin=question.script).stdout.split("\n")[:-1], question)
    assert [(seen.files[place].kind, seen.files[place].mode) for place in places] == [("directory", "0755")] * len(
        places
    )
    listed = host.run("find /srv -print0 | base64 -w 0").stdout
    assert {place.encode() for place in places} <= set(base64.b64decode(listed).split(b"\0"))


@lists(sample=2, soak=20)
def test_ollama_starts_with_every_origin_that_is_accepted(serving: Host, count: int) -> None:
    """It exits at one that it does not like."""
    arrived: list[str] = []
    start = (
        "exported; ollama serve >/dev/null 2>&1 & pid=$!; until curl -fsS -o /dev/null $OLLAMA_HOST/api/version"
        " 2>/dev/null; do kill -0 $pid || exit 1; sleep 0.02; done; tr '\\0' '\\n' </proc/$pid/environ"
        " | sed -n 's/^OLLAMA_ORIGINS=//p' | base64 -w 0; kill $pid; wait $pid || true"
    )

    def check(values: list[str]) -> None:
        if wanted := [value for value in values if accepted(ollama_origins=[value])]:
            environment = declared(ollama_origins=wanted).ollama_environment
            exports = {**environment, "OLLAMA_HOST": "127.0.0.1:11500", "HOME": "/root"}
            told = on(serving, Script(start, {}, exports))
            assert base64.b64decode(told).decode() == environment["OLLAMA_ORIGINS"] + "\n"
            arrived.extend(wanted)

    try_all(hostile.origins, 20, count, check)
    assert len(arrived) > count


@lists(sample=2, soak=20)
def test_a_model_has_the_same_name_at_ollama(serving: Host, count: int) -> None:
    """Except the case of its letters, which Ollama takes from existing models."""
    arrived: set[str] = set()

    def check(values: list[str]) -> None:
        found = [accepted(models=[value]) for value in values]
        names = {str(wanted.model).casefold(): str(wanted.model) for wanted in found if wanted}
        names.pop("codellama:7b", None)
        copies = [{"source": "codellama:7b", "destination": name} for name in names.values()]
        _each(serving, "-X POST", "copy", copies)
        try:
            assert _listed(serving) == {"codellama:7b", *names}
        finally:
            _each(serving, "-X DELETE", "delete", [{"model": name} for name in names.values()])
        arrived.update(names.values())

    try_all(hostile.model_names, 20, count, check)
    assert len(arrived) > 5 * count
    run = fleet.apply("lab-1", models=["codellama:7b", "CodeLlama:7B"], openhands_flavor="off")
    assert (run.code, run.changed("lab-1")) == (0, []), run.said


def _each(host: Host, method: str, call: str, bodies: list[dict[str, str]]) -> None:
    url = f"localhost:11434/api/{call}"
    loop = f'while IFS= read -r body; do curl -fsS {method} --data "$body" {url} </dev/null || exit; done'
    host.run(loop, stdin="".join(f"{json.dumps(body)}\n" for body in bodies))


def _listed(host: Host) -> set[str]:
    return {
        model["name"].casefold()
        for model in json.loads(host.run("curl -fsS localhost:11434/api/tags").stdout)["models"]
    }


UGLY: dict[str, Any] = {
    "ollama_models_dir": "/srv/mod els/100% \"of\" 'it' $HOME `id` {{ 1 }} ~;#& é\u2028\U0001f600",
    "openhands_workspace": "/srv/work space/50%n \"of\" 'it' $HOME back\\slash\\n é",
    "ollama_env": {
        "OLLAMA_API_KEY": "two\nlines\r\n\ttab \"of\" 'it' 100%n $HOME $(id) `id` {{ 1 }} \x01\x7f\x85\ufeff\u2028é\\",
        "NO_PROXY": "x" * (MAX_BYTES - 1500),
    },
    "ollama_origins": ["https://*.example.net", "https://%n$HOME\\"],
    "ollama_keep_alive": "30m",
}


def test_the_product_itself_brings_the_ugliest_values_through(converged: Host) -> None:
    run = fleet.apply("lab-1", **UGLY)

    assert run.code == 0, run.said
    assert observe.proven(converged), observe.proof(converged)
    environ = converged.run("base64 -w 0 </proc/$(systemctl show ollama -p MainPID --value)/environ").stdout
    wanted = {f"{name}={value}".encode() for name, value in declared(**UGLY).ollama_environment.items()}
    assert wanted <= set(base64.b64decode(environ).split(b"\0"))
    mounts = json.loads(converged.run("docker inspect openhands-app --format '{{json .HostConfig.Binds}}'").stdout)
    assert f"{UGLY['openhands_workspace']}:/opt/workspace_base" in mounts
    assert fleet.apply("lab-1", **UGLY).changed("lab-1") == []


def test_more_variables_than_are_read_back_are_refused() -> None:
    assert accepted(ollama_env={"NO_PROXY": "x" * (MAX_BYTES - 500)}) is not None
    assert accepted(ollama_env={"NO_PROXY": "x" * MAX_BYTES}) is None
    assert accepted(ollama_env={"NO_PROXY": "\x01" * (MAX_BYTES // 4)}) is None
