"""The settings of a foreign Ollama. What a hint declares is accepted, and means the same."""

from __future__ import annotations

import ast
import re
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleethands import paths
from fleethands.facts.service import Service, UnitText
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.ollama import adoption_checks, foreign_settings, unit_assignments, vulnerabilities
from fleethands.operations.ollama.foreign_settings import DesiredEnvironment
from fleethands.operations.preflight import preflight
from fleethands.settings import SettingsError
from fleethands.settings.schema.ollama_env import GO_VARIABLES, LIBRARY_PREFIXES, SETTINGS, VARIABLES
from fleethands.settings.values.envconfig import means_same, parse_meaning
from fleethands.settings.values.names import ListenAddress
from fleethands.settings.values.secret import MASK
from fleethands.text.systemd import assignment
from tests.hosts import bare, declared

LINE = re.compile(r"to keep .*?, (?:declare|add to what `ollama_env` has) (\"[a-z_]+\": .*)\Z")


def hints(*variables: tuple[str, str], **data: Any) -> list[str]:
    """What the refusal of a unit with these variables hints."""
    lines = "".join(f"Environment={assignment(name, value)}\n" for name, value in variables)
    unit = UnitText(paths.OLLAMA_UNIT, f"[Service]\nUser=ollama\n{lines}".encode())
    seen = bare().replace(service=Service((unit,), homes={"ollama": paths.OLLAMA_HOME}))
    refused = adoption_checks.check_existing_ollama(declared(**data), seen)
    assert isinstance(refused, Refused)
    return [hint for hint in refused.hints if "`ollama_adopt`" not in hint]


def pasted(lines: list[str]) -> dict[str, Any]:
    """What an inventory has once the declarations of hints are pasted into it."""
    found = [match[1] for line in lines if (match := LINE.match(line))]
    return dict(ast.literal_eval("{" + ", ".join(found) + "}"))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("OLLAMA_HOST", "http://0.0.0.0:11435", {"ollama_host": "0.0.0.0:11435"}),
        ("OLLAMA_HOST", "http://10.0.0.1", {"ollama_host": "10.0.0.1:80"}),
        ("OLLAMA_HOST", "https://10.0.0.1/ollama", {"ollama_host": "10.0.0.1:443"}),
        ("OLLAMA_HOST", ":8080", {"ollama_host": "0.0.0.0:8080"}),
        ("OLLAMA_HOST", "localhost:11434", {"ollama_host": "127.0.0.1:11434"}),
        ("OLLAMA_HOST", "127.0.0.1:11434/", {"ollama_host": "127.0.0.1:11434"}),
        ("OLLAMA_HOST", "'127.0.0.1:11434'", {"ollama_host": "127.0.0.1:11434"}),
        ("OLLAMA_HOST", "127.0.0.1:99999", {"ollama_host": "127.0.0.1:11434"}),
        ("OLLAMA_HOST", "0.0.0.0:8080", {"ollama_host": "0.0.0.0:8080"}),
        ("OLLAMA_HOST", "[::1]", {"ollama_host": "[::1]:11434"}),
        ("OLLAMA_HOST", "::1", {"ollama_host": "[::1]:11434"}),
        (
            "OLLAMA_ORIGINS",
            "http://a.example, http://b.example",
            {"ollama_origins": ["http://a.example", "http://b.example"]},
        ),
        ("OLLAMA_ORIGINS", "'https://*.example'", {"ollama_origins": ["https://*.example"]}),
        ("OLLAMA_FLASH_ATTENTION", "on", {"ollama_env": {"OLLAMA_FLASH_ATTENTION": "1"}}),
        ("OLLAMA_NOPRUNE", "off", {"ollama_env": {"OLLAMA_NOPRUNE": "1"}}),  # so Ollama takes it
        ("OLLAMA_NOPRUNE", "F", {"ollama_env": {"OLLAMA_NOPRUNE": "0"}}),
        ("OLLAMA_DEBUG", "true", {"ollama_env": {"OLLAMA_DEBUG": "1"}}),
        ("OLLAMA_DEBUG", "yes", {"ollama_env": {"OLLAMA_DEBUG": "0"}}),
        ("OLLAMA_NUM_PARALLEL", ' "004" ', {"ollama_env": {"OLLAMA_NUM_PARALLEL": "4"}}),
        ("OLLAMA_KEEP_ALIVE", "'24h'", {"ollama_keep_alive": "24h"}),
        ("OLLAMA_CONTEXT_LENGTH", "8192", {"ollama_context_length": 8192}),
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID", {"ollama_env": {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}}),
        ("SSL_CERT_FILE", "/etc/ssl/corp.pem", {"ollama_env": {"SSL_CERT_FILE": "/etc/ssl/corp.pem"}}),
    ],
)
def test_what_a_unit_sets_is_declared_as_the_settings_take_it(name: str, value: str, wanted: dict[str, Any]) -> None:
    assert pasted(hints((name, value))) == wanted
    assert declared(**wanted)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("OLLAMA_HOST", "gpu-1.example.net:11434", "on the host: getent ahosts gpu-1.example.net"),
        ("OLLAMA_ORIGINS", "null", "no setting says OLLAMA_ORIGINS=null: expected `*` or an origin"),
        ("OLLAMA_CONTEXT_LENGTH", "0", "no setting says OLLAMA_CONTEXT_LENGTH=0: expected a whole number from 1"),
        ("HTTP_PROXY", "http://proxy:3128", "HTTP_PROXY has no setting; to keep it, put it into a drop-in of your own"),
        ("COMPANY", "x", "on the host: systemctl edit ollama"),
    ],
)
def test_what_no_setting_can_say_is_told(name: str, value: str, wanted: str) -> None:
    assert [wanted in hint for hint in hints((name, value))] == [True]


def test_variables_are_declared_together_and_beside_those_that_are_declared() -> None:
    two = (("OLLAMA_NUM_PARALLEL", "2"), ("HSA_OVERRIDE_GFX_VERSION_1", "10.3.0"), ("OLLAMA_API_KEY", "hunter2"))
    pairs = '"OLLAMA_NUM_PARALLEL": "2", "HSA_OVERRIDE_GFX_VERSION_1": "10.3.0", '
    pairs += '"OLLAMA_API_KEY": Secret.env("OLLAMA_API_KEY")'

    assert hints(*two) == [f'to keep those variables, declare "ollama_env": {{{pairs}}}']
    (line,) = hints(("OLLAMA_NUM_PARALLEL", "2"), ollama_env={"OLLAMA_MAX_QUEUE": 9})
    assert line == 'to keep that setting, add to what `ollama_env` has "ollama_env": {"OLLAMA_NUM_PARALLEL": "2"}'


hosts = st.one_of(
    st.sampled_from(
        ["", "localhost", "0.0.0.0", "::", "[::]", "[::1]", "127.0.0.1", "ollama", "1.2.3", "[", "fe80::1%a"]
    ),
    st.ip_addresses().map(str),
)
listens = st.builds(
    lambda quote, scheme, host, port, path: f"{quote}{scheme}{host}{port}{path}{quote}",
    st.sampled_from(["", "'", '"', " "]),
    st.sampled_from(["", "http://", "https://", "ftp://"]),
    hosts,
    st.one_of(st.just(""), st.just(":"), st.integers(-1, 70000).map(lambda port: f":{port}")),
    st.sampled_from(["", "/", "/v1", "//"]),
)
words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
texts = st.one_of(
    listens, words, st.sampled_from(["on", "off", "TRUE", "0", "2", "-1", "5m", "1d", "a, b", "http://a,http://b "])
)
names = st.sampled_from(sorted({*VARIABLES, *SETTINGS, *(f"{each}X" for each in LIBRARY_PREFIXES), *GO_VARIABLES}))


@given(names, texts)
@example("OLLAMA_HOST", "http://[::]:8080/")
@example("OLLAMA_ORIGINS", "http://a, http://B")
@example("OLLAMA_DEBUG", "7")
@example("OLLAMA_LOAD_TIMEOUT", "-5m")
@example("OLLAMA_MODELS", "/data/models//")
def test_every_declaration_of_a_hint_is_taken_and_means_the_same(name: str, text: str) -> None:
    """Spaces between origins keep Ollama from starting, and levels above 2 log what 2 does."""
    if (
        unit_assignments.mask_value(name, text) == MASK
        or parse_meaning(name, text) is None
        or means_same(name, declared().ollama_environment.get(name), text)
    ):
        return
    data = pasted([hint.replace("to keep the models", "to keep that") for hint in hints((name, text))])

    environment = declared(**data).ollama_environment

    if data and name == "OLLAMA_ORIGINS":
        text = ",".join(each.strip() for each in text.strip().strip("\"'").split(","))
    if data and name == "OLLAMA_DEBUG":
        text = str(min(cast(int, parse_meaning(name, text)), 2))
    assert not data or means_same(name, text, environment[name])


@given(listens)
def test_a_listening_address_is_taken_or_refused_with_one_that_is(text: str) -> None:
    try:
        taken = ListenAddress.parse(text)
    except ValueError as error:
        near = re.search(r"as `(.*?)`", str(error))
        assert near is None or "://" not in near[1]
        return
    assert means_same("OLLAMA_HOST", text, str(taken))


@pytest.mark.parametrize("said", ["http://0.0.0.0:11434", ":11434", "[::]:11434", "'0.0.0.0'", "0.0.0.0:11434/"])
def test_the_same_said_in_another_way_is_no_contradiction(said: str) -> None:
    path = f"{paths.OLLAMA_UNIT}.d/90-mine.conf"
    drop_in = UnitText(path, f"[Service]\nEnvironment={assignment('OLLAMA_HOST', said)}\n".encode())

    desired = DesiredEnvironment.from_settings(declared())
    assert foreign_settings.find_conflicts(Service((drop_in,)), drop_in, desired) == []
    assert isinstance(preflight.check.decide(declared(), bare().replace(service=Service((drop_in,)))), Unchanged)


@pytest.mark.parametrize(
    ("release", "name", "said"),
    [
        ("0.32.15", "OLLAMA_NEW_ENGINE", "read by Ollama 0.5.12 to 0.24.0, not by 0.32.15"),
        ("0.32.15", "OLLAMA_METRICS", "Ollama reads no such variable"),
        ("0.34.2", "OLLAMA_NUM_PARALEL", "nearest is `OLLAMA_NUM_PARALLEL`"),
        ("0.34.2", "CUDA_VISIBLE_DEVICE", "nearest is `CUDA_VISIBLE_DEVICES`"),
        ("0.34.2", "COMPANY", "Ollama reads no such variable"),
        ("0.34.2", "GGML_A B", "Ollama reads no such variable"),
    ],
)
def test_a_variable_that_a_release_does_not_read_is_refused(release: str, name: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        declared(ollama_version=release, ollama_env={name: "1"})


@pytest.mark.parametrize(
    ("release", "name", "notes"),
    [
        ("0.6.0", "OLLAMA_NEW_ENGINE", []),
        ("0.24.0", "OLLAMA_NEW_ENGINE", []),
        (
            "0.24.0",
            "OLLAMA_IGPU_ENABLE",
            ["Ollama 0.24.0 does not read OLLAMA_IGPU_ENABLE, which is read from 0.30.0 on"],
        ),
        ("0.30.0-rc1", "OLLAMA_IGPU_ENABLE", []),
        (
            "0.34.2",
            "OLLAMA_METRICS",
            ["whether Ollama 0.34.2 reads OLLAMA_METRICS is not known: its variables are listed up to 0.32.15"],
        ),
        ("0.34.2", "GGML_CUDA_ENABLE_UNIFIED_MEMORY", []),
    ],
)
def test_a_variable_that_may_have_no_effect_is_a_note(release: str, name: str, notes: list[str]) -> None:
    settings = declared(ollama_version=release, ollama_env={name: "1"}, openhands_flavor="off")
    if release == "0.6.0":
        notes = [*notes, *vulnerabilities.notes(settings.ollama_version)]

    assert list(preflight.check.decide(settings, bare(settings)).notes) == notes
