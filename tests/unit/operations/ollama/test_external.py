"""Which external Ollama a host uses, and why fleethands refuses another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleethands import paths
from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.files import File
from fleethands.facts.network import Listener
from fleethands.facts.ollama import Ollama
from fleethands.facts.probe import Unknown
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.firewall import closed_ports
from fleethands.operations.models import models as pulling
from fleethands.operations.ollama import adoption_checks
from fleethands.operations.ollama import external as external_ollama
from fleethands.operations.preflight import ports, preflight
from fleethands.settings.packages import needed_packages
from tests.helpers.external_ollama import DIGEST, URL, add_service, declare_external, probe_external
from tests.hosts import bare, declared


def test_what_answers_with_every_model_is_used_and_nothing_is_put_on_the_host() -> None:
    settings = declare_external(models=["codellama:7b", "Tiny"], models_prune=True, ollama_models_dir="/nowhere")
    seen = probe_external(settings, **{"codellama:7b": DIGEST, "tiny:latest": DIGEST})
    seen = seen.replace(disk={**seen.disk, "/opt": replace(seen.disk["/opt"], runs=False)})

    assert isinstance(preflight.check.decide(settings, seen), Unchanged)
    assert isinstance(external_ollama.use.decide(settings, seen), Unchanged)
    assert isinstance(pulling.pull.decide(settings, seen), Unchanged)
    assert isinstance(pulling.prune.decide(settings, seen), Unchanged)
    assert needed_packages(settings) == ("ca-certificates", "curl")
    assert not closed_ports.declared_ports(settings)


def test_missing_models_are_named_with_what_brings_them() -> None:
    settings = declare_external(models=["codellama:7b", "tiny:1b", "o/m:2"])

    refused = preflight.check.decide(settings, probe_external(settings))

    assert isinstance(refused, Refused)
    assert refused.reason == f"Ollama at {URL} has no model tiny:1b, o/m:2, and none is pulled there"
    assert refused.hints[0] == (
        "on the host: curl -sS --noproxy '*' http://10.0.0.5:11434/api/pull -d '{\"model\": \"tiny:1b\"}'"
    )
    assert len(refused.hints) == 2


@pytest.mark.parametrize(("found", "said"), [("1" * 64, "has digest 111111111111"), ("", "has no digest that")])
def test_another_digest_is_named(found: str, said: str) -> None:
    settings = declare_external(models=[{"name": "codellama:7b", "digest": DIGEST}])

    refused = external_ollama.check_external(settings, probe_external(settings, **{"codellama:7b": found}))

    assert refused is not None
    assert said in refused.reason
    assert f"pinned is {DIGEST[:12]}" in refused.reason
    assert external_ollama.check_external(settings, probe_external(settings)) is None


def test_a_host_without_curl_asks_once_it_has_it() -> None:
    settings = declare_external()
    lacking = Unknown("the command `curl` is missing on this host", lacks="curl")
    seen = bare(settings).replace(ollama=lacking, models=lacking)

    assert isinstance(preflight.check.decide(settings, seen), Unchanged)
    assert isinstance(external_ollama.use.decide(settings, seen), Unchanged)


@pytest.mark.parametrize(("local", "ours"), [("127.0.0.1", True), ("10.0.0.9", True), ("", False)])
def test_our_own_service_is_nobody_elses(local: str, ours: bool) -> None:
    settings = declare_external(ollama_address="http://127.0.0.1:11434")
    way = VersionRequest(0, 200, local=local or "10.0.0.9", remote=local or "10.0.0.5")
    seen = add_service(probe_external(settings)).replace(ollama=Ollama("0.24.0", way=way))

    refused = external_ollama.check_external(settings, seen)

    assert (refused is not None) is ours
    if refused:
        assert '"ollama_runtime": "service"' in refused.hints[0]
        theirs = seen.with_file(paths.OLLAMA_UNIT, File("file", content=b"[Service]\n"))
        assert external_ollama.check_external(settings, theirs) is None


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
