"""An external Ollama: what its answers mean, and what fleethands then leaves alone."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.files import File
from fleethands.facts.network import Listener
from fleethands.facts.ollama import Ollama, Process, Release, parse_models, parse_ollama
from fleethands.facts.probe import Unknown
from fleethands.operations.core import proof_record
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.firewall import closed_ports, firewall
from fleethands.operations.models import checksums
from fleethands.operations.models import models as pulling
from fleethands.operations.ollama import adoption_checks, external_diagnosis
from fleethands.operations.ollama import external as external_ollama
from fleethands.operations.preflight import ports, preflight
from fleethands.operations.proof import proof
from fleethands.report.redaction import Mask
from fleethands.settings import HostSettings, Secret
from fleethands.settings.packages import needed_packages
from tests.hosts import bare, declared

URL = "http://10.0.0.5:11434"
DIGEST = "8fdf" * 16
OURS = File("file", "0644", owner="root:root", content=b"# Written by fleethands\n")
PROVEN = File("file", "0644", content=f"list\tok\t0\tcodellama:7b is there, at {URL}\t\n".encode())
OF_OURS = File("file", "0644", content=b"list\tok\t0\tcodellama:7b is there\t\n")


def external(**more: Any) -> HostSettings:
    return declared(**{"ollama_runtime": "external", "ollama_address": URL, "openhands_flavor": "off", **more})


def answering(settings: HostSettings, **there: str) -> Probe:
    """A new host that gets an answer from an Ollama elsewhere, with these models."""
    way = VersionRequest(0, 200, local="10.0.0.9", remote="10.0.0.5")
    return bare(settings).replace(ollama=Ollama("0.24.0", way=way), models=there or {"codellama:7b": DIGEST})


def serving(seen: Probe) -> Probe:
    """The same host with a managed service, which answers on every address."""
    listener = Listener(11434, "*", "ollama", 7)
    seen = seen.replace(process=Process(7, 1, "/opt/ollama/0.24.0/bin/ollama", {}), sockets=(listener,))
    return seen.replace(releases={"0.24.0": Release("0" * 64, True)}).with_file(paths.OLLAMA_UNIT, OURS)


def said(text: str) -> str:
    return "elsewhere " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "version", "way"),
    [
        (
            '{"version":"0.24.0"}\n200|10.0.0.9|10.0.0.5||\n0',
            "0.24.0",
            VersionRequest(0, 200, "", "10.0.0.9", "10.0.0.5"),
        ),
        ("\n000||||Could not connect\n7", None, VersionRequest(7, 0, "Could not connect")),
        ("\n000||||\n28", None, VersionRequest(28)),
        (
            "<html>\n\n301|10.0.0.9|10.0.0.5|https://x/|\n0",
            None,
            VersionRequest(0, 301, "", "10.0.0.9", "10.0.0.5", "https://x/"),
        ),
        ('{"version":"0.24.0"}\n200|::1|::1||\n0', "0.24.0", VersionRequest(0, 200, "", "::1", "::1")),
        ('{"version":5}\n200|a b|\x1b[2J||\n0', None, VersionRequest(0, 200)),
        ('{"version":"' + "x" * 9000, None, VersionRequest()),
        ("", None, VersionRequest()),
    ],
)
def test_an_answer_is_read(text: str, version: str | None, way: VersionRequest) -> None:
    assert parse_ollama([said(text)]) == Ollama(version, way=way)


@pytest.mark.parametrize("line", ["elsewhere", "elsewhere !", "elsewhere " + "=" * 8])
def test_what_is_no_answer_is_unknown(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of which kind is all the same to the reader of a section
        parse_ollama([line])


def test_its_list_is_data_with_limits() -> None:
    listed: list[dict[str, object]] = [
        {"name": "CodeLlama:7B", "digest": DIGEST}, {"name": "x\x1b[2J", "digest": "y"}, {"name": 5},
        {"name": "tiny:latest", "digest": f"sha256:{DIGEST}"}, {"name": "odd:1", "digest": "../../etc"},
    ]  # fmt: skip

    found = parse_models(["tags " + base64.b64encode(json.dumps({"models": listed}).encode()).decode()])

    assert found == {"CodeLlama:7B": DIGEST, "tiny:latest": DIGEST, "odd:1": ""}
    assert parse_models(["tags " + base64.b64encode(b'{"models":null}').decode()]) == {}
    many = b'{"models":[' + b'{"name":"a"},' * 10_000 + b'{"name":"b"}]}'
    with pytest.raises(ValueError, match="too long"):
        parse_models(["tags " + base64.b64encode(many).decode()])


@pytest.mark.parametrize(
    ("way", "cause", "hint"),
    [
        (VersionRequest(6), "the name 10.0.0.5 is not known", "ollama_address"),
        (
            VersionRequest(7, said="Could not connect"),
            "nothing listens there, or no way leads there (Could not connect)",
            "start",
        ),
        (
            VersionRequest(28, ours="10.0.0.9"),
            "a firewall keeps this host out",
            "ufw allow from 10.0.0.9 to any port 11434",
        ),
        (
            VersionRequest(28, remote="10.0.0.5"),
            "it takes the request, and does not answer",
            "systemctl restart ollama",
        ),
        (VersionRequest(60, said="self-signed"), "its certificate will not do (self-signed)", "ca-certificates"),
        (VersionRequest(35), "it does not use TLS", f'"ollama_address": "{URL}"'),
        (VersionRequest(0, 401), "it wants a login, and no setting has one (HTTP 401)", ""),
        (VersionRequest(0, 403), "it refuses this host (HTTP 403)", "OLLAMA_HOST"),
        (
            VersionRequest(0, 502),
            "the server before it gets no answer from Ollama (HTTP 502)",
            "systemctl start ollama",
        ),
        (VersionRequest(0, 308, leads="https://x/"), "it answers HTTP 308, and leads to https://x/", "ollama_address"),
        (VersionRequest(0, 404), "what answers there is not Ollama (HTTP 404)", ""),
        (VersionRequest(0, 200), "what answers there is not Ollama", ""),
        (VersionRequest(1, said="Received HTTP/0.9"), "what answers there is not Ollama (Received HTTP/0.9)", ""),
        (VersionRequest(99), "curl ended with status 99", ""),
        (VersionRequest(), "what answers there is not Ollama", ""),
    ],
)
def test_each_cause_is_told_from_the_others(way: VersionRequest, cause: str, hint: str) -> None:
    settings = external()

    refused = preflight.check.decide(settings, bare(settings).replace(ollama=Ollama(None, way=way)))

    assert isinstance(refused, Refused)
    assert refused.reason.startswith(f"Ollama at {URL}: {cause}") or cause in refused.reason
    assert hint in refused.hints[0] or not hint
    assert refused.hints[-1] == f"try it on the host: curl -sS --noproxy '*' {URL}/api/version"


def test_its_own_host_starts_it_there() -> None:
    assert (
        external_diagnosis.explain_no_answer("http://127.0.0.1:11434", VersionRequest(7))[1]
        == "on the host: systemctl start ollama"
    )


def test_what_answers_with_every_model_is_used_and_nothing_is_put_on_the_host() -> None:
    settings = external(models=["codellama:7b", "Tiny"], models_prune=True, ollama_models_dir="/nowhere")
    seen = answering(settings, **{"codellama:7b": DIGEST, "tiny:latest": DIGEST})
    seen = seen.replace(disk={**seen.disk, "/opt": replace(seen.disk["/opt"], runs=False)})

    assert isinstance(preflight.check.decide(settings, seen), Unchanged)
    assert isinstance(external_ollama.use.decide(settings, seen), Unchanged)
    assert isinstance(pulling.pull.decide(settings, seen), Unchanged)
    assert isinstance(pulling.prune.decide(settings, seen), Unchanged)
    assert needed_packages(settings) == ("ca-certificates", "curl")
    assert not closed_ports.declared_ports(settings)


def test_missing_models_are_named_with_what_brings_them() -> None:
    settings = external(models=["codellama:7b", "tiny:1b", "o/m:2"])

    refused = preflight.check.decide(settings, answering(settings))

    assert isinstance(refused, Refused)
    assert refused.reason == f"Ollama at {URL} has no model tiny:1b, o/m:2, and none is pulled there"
    assert refused.hints[0] == (
        "on the host: curl -sS --noproxy '*' http://10.0.0.5:11434/api/pull -d '{\"model\": \"tiny:1b\"}'"
    )
    assert len(refused.hints) == 2


@pytest.mark.parametrize(("found", "said"), [("1" * 64, "has digest 111111111111"), ("", "has no digest that")])
def test_another_digest_is_named(found: str, said: str) -> None:
    settings = external(models=[{"name": "codellama:7b", "digest": DIGEST}])

    refused = external_ollama.check_external(settings, answering(settings, **{"codellama:7b": found}))

    assert refused is not None
    assert said in refused.reason
    assert f"pinned is {DIGEST[:12]}" in refused.reason
    assert external_ollama.check_external(settings, answering(settings)) is None


def test_a_host_without_curl_asks_once_it_has_it() -> None:
    settings = external()
    lacking = Unknown("the command `curl` is missing on this host", lacks="curl")
    seen = bare(settings).replace(ollama=lacking, models=lacking)

    assert isinstance(preflight.check.decide(settings, seen), Unchanged)
    assert isinstance(external_ollama.use.decide(settings, seen), Unchanged)


@pytest.mark.parametrize(("local", "ours"), [("127.0.0.1", True), ("10.0.0.9", True), ("", False)])
def test_our_own_service_is_nobody_elses(local: str, ours: bool) -> None:
    settings = external(ollama_address="http://127.0.0.1:11434")
    way = VersionRequest(0, 200, local=local or "10.0.0.9", remote=local or "10.0.0.5")
    seen = serving(answering(settings)).replace(ollama=Ollama("0.24.0", way=way))

    refused = external_ollama.check_external(settings, seen)

    assert (refused is not None) is ours
    if refused:
        assert '"ollama_runtime": "service"' in refused.hints[0]
        theirs = seen.with_file(paths.OLLAMA_UNIT, File("file", content=b"[Service]\n"))
        assert external_ollama.check_external(settings, theirs) is None


def test_ours_goes_once_the_other_is_proven_and_the_proof_stays() -> None:
    settings = external()
    seen = serving(answering(settings))

    waits = external_ollama.remove_managed.decide(settings, seen.with_file(paths.PROOF, OF_OURS))
    changes = external_ollama.remove_managed.decide(settings, seen.with_file(paths.PROOF, PROVEN))

    assert isinstance(waits, Unchanged)
    assert "stays until" in waits.fact
    assert isinstance(changes, list)
    (change,) = changes
    assert isinstance(change, Change)
    assert change.keeps_proof
    assert change.script.values["files"] == paths.OLLAMA_UNIT
    assert isinstance(external_ollama.remove_managed.decide(settings, answering(settings)), Unchanged)


@pytest.mark.parametrize(
    ("record", "declares", "held"),
    [
        (PROVEN, {}, True),
        (PROVEN, {"ollama_address": "http://10.0.0.6:11434"}, False),
        (PROVEN, {"models": ["tiny"]}, False),
        (OF_OURS, {}, False),
        (PROVEN, {"ollama_runtime": "service", "ollama_address": None}, False),
        (OF_OURS, {"ollama_runtime": "service", "ollama_address": None}, True),
    ],
)
def test_a_proof_is_that_of_one_ollama(record: File, declares: dict[str, Any], held: bool) -> None:
    settings = external(**declares)
    seen = bare(settings).with_file(paths.PROOF, record)

    decision = proof.prove.decide(settings, seen, recorded=settings)

    assert isinstance(decision, Unchanged if held else Change)
    assert proof_record.is_proven(settings, seen) is held


def test_the_firewall_goes_last_where_nothing_of_ours_listens() -> None:
    settings = external()
    seen = answering(settings)
    seen = seen.replace(firewall=replace(seen.firewall, loaded="0" * 64))

    def decided(seen: Probe) -> Any:
        return firewall.narrow_rules.decide(settings, seen, render=lambda *_: "rules")

    waits, gone = decided(seen), decided(seen.with_file(paths.PROOF, PROVEN))

    assert isinstance(waits, Unchanged)
    assert isinstance(gone, Change)
    assert gone.keeps_proof
    assert (gone.script.values["step"], gone.consequence) == ("remove_table", "")
    assert isinstance(decided(answering(settings)), Unchanged)


def test_what_has_no_effect_is_named_once() -> None:
    data: dict[str, Any] = {"ollama_env": {"OLLAMA_DEBUG": 1}, "gpu": True, "models_prune": True}
    settings = external(**data, models=[{"name": "codellama:7b", "preload": True}])

    same = preflight.check.decide(settings, answering(settings))

    assert isinstance(same, Unchanged)
    (note,) = [note for note in same.notes if note.startswith("without effect")]
    assert "`ollama_env`, `models_prune`, `gpu`, `preload` of a model; " in note
    assert URL in note
    assert (
        external_ollama.unused_settings_notes(external(gpu=False, ollama_version="0.24.0"), bare())[0].count("`") == 6
    )


def test_a_secret_that_no_host_needs_may_be_missing(tmp_path: Path) -> None:
    settings = external(ollama_env={"OLLAMA_API_KEY": Secret.file(str(tmp_path / "none"))})

    assert settings.ollama_environment == {}
    assert Mask.from_settings([settings]).text("nothing") == "nothing"


def test_a_known_flaw_is_that_of_the_release_which_answers() -> None:
    settings = external()
    old = answering(settings).replace(ollama=Ollama("0.11.0", way=VersionRequest(0, 200)))

    same = preflight.check.decide(settings, old)

    assert isinstance(same, Unchanged)
    assert any("Ollama 0.11.0 has a known vulnerability" in note for note in same.notes)


@pytest.mark.parametrize(
    ("env", "noted"),
    [
        ({"HTTP_PROXY": "http://p:3128"}, True),
        ({"http_proxy": "http://p:3128", "no_proxy": "localhost"}, True),
        ({"HTTP_PROXY": "http://p:3128", "NO_PROXY": "localhost, 10.0.0.5"}, False),
        ({"HTTP_PROXY": "http://p:3128", "NO_PROXY": "*"}, False),
        ({"HTTPS_PROXY": "http://p:3128"}, False),
        ({}, False),
    ],
)
def test_a_proxy_of_openhands_is_noted(env: dict[str, str], noted: bool) -> None:
    settings = external(openhands_flavor="canvas", openhands_env=env)

    same = preflight.check.decide(settings, answering(settings))

    assert isinstance(same, Unchanged)
    assert any('add to `openhands_env`: "NO_PROXY": "10.0.0.5"' in note for note in same.notes) is noted


def test_no_blob_is_read() -> None:
    settings = external()

    same = checksums.verify.decide(settings, answering(settings))

    assert isinstance(same, Unchanged)
    assert "not this host's to read" in same.notes[0]


@pytest.mark.parametrize(("address", "loopback"), [("127.0.0.1", True), ("*", False)])
def test_one_that_holds_the_port_is_named_with_the_line_that_uses_it(address: str, loopback: bool) -> None:
    settings = declared()
    seen = bare(settings).replace(ollama=Ollama("0.9.0"), sockets=(Listener(11434, address, "ollama", 7),))

    refused = ports.check_ports(settings, seen)

    assert refused is not None
    line = '"ollama_runtime": "external", "ollama_address": "http://127.0.0.1:11434"'
    assert line in refused.hints[-1]
    assert ("more than loopback" in refused.hints[-1]) is loopback
    seen = seen.replace(sockets=()).with_file(paths.BINARY, File("file"))
    unasked = adoption_checks.check_existing_ollama(settings, seen)
    assert unasked is not None
    assert any(line in hint for hint in unasked.hints)
