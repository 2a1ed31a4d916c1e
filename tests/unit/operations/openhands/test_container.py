"""The container's specification, as a value."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.facts.docker import SPEC_LABEL, Container, Docker
from fleethands.facts.system import Account, Accounts
from fleethands.facts.upstream import Offer, Upstream
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.openhands.container import serve
from fleethands.operations.openhands.container_spec import container_spec
from fleethands.pinning import registry
from tests.hosts import bare, declared


@pytest.mark.parametrize(("bind", "published"), [("127.0.0.1", "127.0.0.1:3000:3000"), ("::1", "[::1]:3000:3000")])
def test_the_page_is_published_as_docker_reads_it(bind: str, published: str) -> None:
    arguments = container_spec(declared(openhands_bind=bind), 1000).arguments

    assert arguments[arguments.index("--publish") + 1] == published


OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("data", "told", "newest", "pull"),
    [
        ({}, None, "", ""),
        ({}, None, OLD, ""),
        ({}, None, NEW, "always"),  # by `--upstream`
        ({}, NEW, "", ""),  # no registry was asked
        ({"openhands_pull": "always"}, NEW, "", "always"),
        ({"openhands_pull": "always"}, OLD, "", ""),
        ({"openhands_pull": "always"}, None, "", ""),  # no answer
    ],
)
def test_a_container_follows_a_tag_that_moved_where_somebody_asked(
    data: dict[str, Any], told: str | None, newest: str, pull: str
) -> None:
    settings = declared(**data)
    labels = {SPEC_LABEL: container_spec(settings, 999).digest}
    container = Container("1", "running", "sha256:1", labels, "")
    offers = (Offer("tag", settings.declared_image, "", "ok", digest=told),) if told else ()
    seen = bare(settings).replace(
        accounts=Accounts({"openhands": Account(999, 999, "/", frozenset())}, frozenset()),
        docker=Docker(True, "26", container, image="sha256:1", digests=frozenset({OLD})),
        upstream=Upstream(offers),
    )

    decision = serve.decide(settings, seen, newest=newest)
    then = serve.decide(settings, seen, same=True, newest=newest)

    assert isinstance(decision, Change if pull else Unchanged)
    assert isinstance(then, Unchanged)  # a rollback goes to the image of then
    if isinstance(decision, Change):
        assert (decision.before, decision.script.values["pull"]) == ("made from an older image of that name", pull)


def test_each_tag_is_asked_for_once_and_none_that_is_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def images(names: list[str]) -> dict[str, Any]:
        asked.append(names)
        return {"ghcr.io/a/b:1": NEW, "ghcr.io/a/b:2": registry.RegistryError("no answer")}

    monkeypatch.setattr(registry, "look_up_images", images)
    monkeypatch.setattr(registry, "look_up_models", lambda _: {})
    named = [f"ghcr.io/a/b:{number}" for number in (1, 1, 2)]
    fleet = [declared(openhands_image=name, openhands_generation="v0") for name in (*named, f"ghcr.io/a/b@{OLD}")]
    said: list[str] = []

    found = registry.resolve_tags([*fleet, declared(openhands_flavor="off")], said.append)

    assert asked == [["ghcr.io/a/b:1", "ghcr.io/a/b:2"]]
    assert (found, said) == ({"ghcr.io/a/b:1": NEW}, ["warning: ghcr.io/a/b:2: no answer"])
