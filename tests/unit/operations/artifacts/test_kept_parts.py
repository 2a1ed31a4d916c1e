"""What a plan says about kept parts, and about hosts that have only their neighbors."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.upstream import OK, UNREACHABLE, Offer, Upstream
from fleethands.operations.artifacts import kept_parts
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.ollama import release
from fleethands.operations.preflight import reachable_sources
from fleethands.operations.removal import removal
from fleethands.settings import HostSettings, read_fleet
from fleethands.settings.lockfile import Lockfile
from tests.hosts import bare, declared

SITE = {"share": True, "site": "office", "openhands_flavor": "off"}
OLLAMA, V0, SANDBOX = "release ollama", "image docker.all-hands.dev/all-hands-ai/openhands", "image team/sandbox"
ARCHIVE = {"amd64": "a" * 64}
URL = "https://github.com/ollama/ollama/releases"


def settings_of(**data: Any) -> HostSettings:
    """Settings of a host with a neighbor before it."""
    both = {name: {"models": ["m:1"], "ollama_version": "0.24.0", **SITE, **data} for name in ("a", "b")}
    return read_fleet(both, Lockfile())["b"]


def keeping(settings: HostSettings, *artifacts: str) -> Probe:
    rows = "".join(f"{each} sha256:{number:064}\n" for number, each in enumerate(artifacts))
    return bare(settings).with_file(paths.KEPT_PARTS, File("file", "0644", 0, 0, "root:root", rows.encode()))


def decide(settings: HostSettings, *artifacts: str) -> Decision:
    decision: Decision = kept_parts.remove_kept.decide(settings, keeping(settings, *artifacts))
    return decision


def removed(settings: HostSettings, *artifacts: str) -> Change:
    decision = decide(settings, *artifacts)
    assert isinstance(decision, Change)
    later = decision.predict(keeping(settings, *artifacts))
    assert isinstance(kept_parts.remove_kept.decide(settings, later), Unchanged)
    return decision


@pytest.mark.parametrize("data", [{}, {"share": True, "site": "x"}, {"share": True, "site": "x", "share_keep": False}])
def test_a_host_without_kept_parts_has_nothing_to_do(data: dict[str, Any]) -> None:
    settings = declared(**data)

    assert kept_parts.remove_kept.decide(settings, bare(settings)) == Unchanged("no parts are kept")


def test_what_is_declared_stays() -> None:
    settings = declared(**{**SITE, "openhands_flavor": "gui"})

    name = settings.declared_image.rpartition(":")[0]
    assert isinstance(decide(settings, OLLAMA, f"image {name}"), Unchanged)


@pytest.mark.parametrize(
    ("data", "why"),
    [({"openhands_flavor": "off"}, "`share` is off"), ({**SITE, "share_keep": False}, "`share_keep` is off")],
)
def test_everything_is_removed_once_it_is_switched_off(data: dict[str, Any], why: str) -> None:
    change = removed(declared(**data), OLLAMA, V0)

    assert (change.before, change.after, change.why) == (f"ollama, {V0.partition(' ')[2]}", "removed", why)
    assert change.script.values["spare"] == ""


def test_a_list_that_is_too_long_to_read_is_removed_as_well() -> None:
    settings = declared()
    probe = bare(settings).with_file(paths.KEPT_PARTS, File("file"))

    assert isinstance(kept_parts.remove_kept.decide(settings, probe), Change)
    sharing = declared(**SITE)
    assert isinstance(kept_parts.remove_kept.decide(sharing, probe), Unchanged)


def test_an_image_that_is_not_declared_any_more_is_removed() -> None:
    change = removed(declared(**SITE), OLLAMA, V0)

    assert (change.before, change.why) == (V0.partition(" ")[2], "not declared any more")
    assert change.script.values["spare"] == OLLAMA


def test_an_archive_is_removed_once_ollama_runs_in_a_container() -> None:
    settings = declared(**SITE, ollama_runtime="container")

    assert removed(settings, "image ollama/ollama", OLLAMA).before == "ollama"


def test_an_unknown_image_of_sandboxes_stays() -> None:
    version = {"openhands_image": "team/openhands:9.9.9", "openhands_generation": "v1"}

    assert isinstance(decide(declared(**{**SITE, "openhands_flavor": "gui"}, **version), OLLAMA, SANDBOX), Unchanged)


def install(settings: HostSettings, *offers: Offer) -> Change:
    decision = release.install.decide(settings, bare(settings).replace(upstream=Upstream(offers)))
    assert isinstance(decision, Change)
    return decision


def test_the_plan_says_what_stays_on_the_disk() -> None:
    offer = Offer("archive", "0.24.0", URL, OK, size=1 << 30)
    stays = "; 1 GiB stay on the disk for hosts that are added to the site later"

    assert install(settings_of(), offer).consequence.endswith(stays)
    assert install(settings_of(), offer).script.values["keeps_parts"] == "yes"
    assert "stay" not in install(settings_of(share_keep=False), offer).consequence
    assert install(settings_of(share_keep=False), offer).script.values["keeps_parts"] == "no"
    assert "stay" not in install(declared(), offer).consequence


def test_a_host_without_internet_takes_a_pinned_release_from_neighbors() -> None:
    settings, offer = settings_of(ollama_sha256=ARCHIVE), Offer("archive", "0.24.0", URL, UNREACHABLE, "no answer")
    probe = bare(settings).replace(upstream=Upstream((offer,)))

    assert reachable_sources.check_sources(settings, probe) is None
    said = install(settings, offer).consequence
    assert " from neighbors of the site office, because it does not reach github.com; its parts stay" in said


def test_a_release_without_a_pin_needs_its_server() -> None:
    settings, offer = settings_of(), Offer("archive", "0.24.0", URL, UNREACHABLE, "no answer")
    refused = reachable_sources.check_sources(settings, bare(settings).replace(upstream=Upstream((offer,))))

    assert refused is not None
    assert refused.reason == "no route to github.com: no answer"
    assert refused.hints[-1] == "to have it from neighbors of the site, on this machine: fleethands pin"
    alone = declared(ollama_sha256=ARCHIVE, **SITE)
    again = reachable_sources.check_sources(alone, bare(alone).replace(upstream=Upstream((offer,))))
    assert again is not None
    assert again.hints[-1] == reachable_sources.MIRROR


def test_an_uninstall_removes_the_list_where_nothing_else_is_left() -> None:
    settings = declared()
    user = b"user ollama\n"
    probe = keeping(settings, OLLAMA).with_file(paths.OWNERSHIP_MANIFEST, File("file", content=user))
    probe = probe.with_file(paths.RECORDS, File("directory"))

    change = removal.remove_records.decide(settings, probe, keep=("user ollama",))

    assert isinstance(change, Change)
    assert isinstance(removal.remove_records.decide(settings, change.predict(probe), keep=("user ollama",)), Unchanged)
