"""Models from a registry with an unknown authority, from one without TLS, and through a proxy."""

from __future__ import annotations

import time

import pytest

from tests.lab.host import Host
from tests.lab.internet.names import MODELS
from tests.lab.lab import Lab
from tests.lab.model_pulls import TWO_MODELS, apply_models, assert_settled, find_digest, list_models
from tests.lab.relay import Relay

pytestmark = pytest.mark.soak


def test_an_authority_that_the_host_does_not_know_is_named(lab: Lab, serving: Host) -> None:
    store = "/usr/local/share/ca-certificates"
    serving.run(
        f"mv {store} {store}-away && mkdir {store} && update-ca-certificates --fresh && systemctl restart ollama"
    )

    refused = apply_models(*TWO_MODELS)

    assert refused.code == 1
    assert "error: pull of padded:latest ended early: " in refused.said
    assert "x509: certificate signed by unknown authority" in refused.said
    assert "hint: put the registry's authority into the host's store: " in refused.said
    serving.run(f"rmdir {store} && mv {store}-away {store} && update-ca-certificates && systemctl restart ollama")
    run = apply_models(*TWO_MODELS)
    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert_settled(serving, *TWO_MODELS)


def test_a_registry_of_one_s_own_without_tls(lab: Lab, serving: Host) -> None:
    with Relay(lab.gateway, lab.internet.registry.socket).open() as relay:
        name = f"{lab.gateway}:{relay.port}/library/codellama:7b"
        model = {"name": name, "insecure": True, "digest": find_digest(lab, "codellama", "7b")}
        refused = apply_models({"name": f"{lab.gateway}:{relay.port}/library/codellama:7b-instruct"})
        run = apply_models(model)

        assert refused.code == 1
        assert "insecure: true" in refused.said
        assert run.code == 0, run.said
        assert name in list_models(serving)
        assert_settled(serving, model)


def test_a_proxy_of_ollama_s_is_asked_for_all_that_a_pull_needs(lab: Lab, serving: Host) -> None:
    with Relay(lab.gateway, (lab.internet.address, 443), proxy=True).open() as relay:
        proxy = {"HTTPS_PROXY": f"http://{lab.gateway}:{relay.port}"}
        since = time.time()
        run = apply_models(*TWO_MODELS, ollama_env=proxy)

        assert run.code == 0, run.said
        assert f"CONNECT {MODELS}:443 HTTP/1.1" in relay.asked
        clients = {request.client for request in lab.internet.requests(since) if "padded" in request.path}
        assert clients == {lab.gateway}
        assert_settled(serving, *TWO_MODELS, ollama_env=proxy)
