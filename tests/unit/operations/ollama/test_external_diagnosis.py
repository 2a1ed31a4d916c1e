"""Each reason why an external Ollama does not answer has its own message and hint."""

from __future__ import annotations

import pytest

from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.ollama import Ollama
from fleethands.operations.core.decision import Refused
from fleethands.operations.ollama import external_diagnosis
from fleethands.operations.preflight import preflight
from tests.helpers.external_ollama import URL, declare_external
from tests.hosts import bare


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
    settings = declare_external()

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
