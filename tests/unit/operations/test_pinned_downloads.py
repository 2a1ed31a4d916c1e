"""Operations download only what the lockfile pins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands.facts.docker import SPEC_LABEL, Container, Docker
from fleethands.facts.upstream import Upstream
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.models import models
from fleethands.operations.ollama import release
from fleethands.operations.openhands import container
from fleethands.operations.openhands.container_spec import container_spec
from fleethands.operations.preflight import preflight
from fleethands.settings import HostSettings
from fleethands.settings.lockfile import LockfileContents
from fleethands.settings.values.images import at_digest
from tests.helpers.pins import ARCHIVE, DIGEST, IMAGE, OTHER_DIGEST, read_pinned
from tests.hosts import bare


def test_what_the_lock_does_not_have_is_said_in_the_plan() -> None:
    settings = read_pinned(models=["codellama:7b", "other"], ollama_version="0.24.1")

    decision = preflight.check.decide(settings, bare(settings))

    assert isinstance(decision, Unchanged)
    assert decision.notes == (
        "fleethands.lock does not pin Ollama 0.24.1, other:latest; on this machine: fleethands pin",
    )


def test_what_a_modelfile_starts_from_is_held(tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text("FROM codellama:7b\n")
    settings = read_pinned(models=[{"name": "mine", "modelfile": str(tmp_path / "Modelfile")}])

    (change,) = models.pull.decide(settings, bare(settings), _files(settings))

    assert (change.subject, change.after) == ("model codellama:7b", f"digest {DIGEST[:12]}")
    assert settings.pins.missing == ()


def _files(settings: HostSettings) -> Any:
    from fleethands.settings.values import modelfile  # noqa: PLC0415

    return modelfile.load_modelfiles(settings)


def test_a_moved_tag_is_refused_where_the_host_is_offered_another() -> None:
    settings = read_pinned()
    offer = _offer(settings, OTHER_DIGEST)

    refused = models.pull.decide(settings, bare(settings).replace(upstream=Upstream((offer,))))

    assert refused == Refused(
        f"the tag codellama:7b moved: the registry has {OTHER_DIGEST}, pinned is {DIGEST}",
        ("if the new one is wanted, on this machine: fleethands pin --only codellama:7b",),
    )


def _offer(settings: HostSettings, digest: str) -> Any:
    from fleethands.facts.upstream import OK, Offer  # noqa: PLC0415

    return Offer("model", str(settings.models[0].name), "https://registry.ollama.ai", OK, digest=digest)


def test_an_archive_that_the_lock_lacks_is_refused() -> None:
    settings = read_pinned(LockfileContents(ollama={"0.24.0": {ARCHIVE: DIGEST}}), ollama_variant="rocm")

    assert release.install.decide(settings, bare(settings)) == Refused(
        "fleethands.lock has Ollama 0.24.0, but not its ollama-linux-amd64-rocm.tar.zst",
        ("on this machine: fleethands pin",),
    )


def test_every_archive_of_a_release_is_held_to_the_lock() -> None:
    settings = read_pinned(ollama_variant="rocm")

    change = release.install.decide(settings, bare(settings))

    assert isinstance(change, Change)
    assert (
        change.script.values["digests"] == f"{DIGEST}  ./{ARCHIVE}\n{OTHER_DIGEST}  ./ollama-linux-amd64-rocm.tar.zst\n"
    )


@pytest.mark.parametrize(
    ("runs", "known", "wrong"),
    [
        ("image-1", "image-1", None),
        ("image-1", "image-2", f"made from another image than the pinned sha256:{DIGEST[:12]}"),
        ("image-1", None, f"made from another image than the pinned sha256:{DIGEST[:12]}"),
    ],
    ids=["the pinned one", "another one", "the pinned one is not on the host"],
)
def test_a_container_is_made_from_the_pinned_image(runs: str, known: str | None, wrong: str | None) -> None:
    settings = read_pinned(openhands_pull="always")
    labels = {SPEC_LABEL: container_spec(settings, -1).digest}
    seen = bare(settings).replace(
        docker=Docker(True, "26", Container("1", "running", runs, labels, ""), image=known, digests=frozenset())
    )

    decision = container.serve.decide(settings, seen)

    assert (decision.before if isinstance(decision, Change) else None) == wrong
    if isinstance(decision, Change):
        pins = decision.script.values["pins"]
        assert pins == f"{IMAGE} {at_digest(IMAGE, f'sha256:{DIGEST}')}"
        assert container.serve.decide(settings, decision.predict(seen)) == Unchanged("openhands-app runs as specified")
