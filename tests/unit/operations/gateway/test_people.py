"""Who may log in to OpenHands' page: what is written, and what stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.gateway import people
from fleethands.operations.gateway.certificate import MODE, OWNER
from fleethands.settings import HostSettings
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from tests.helpers.gateways import PASSWORDS, page_data
from tests.hosts import bare

FILES = (paths.GATEWAY_PEOPLE, paths.GATEWAY_SESSIONS)


def declared(folder: Path, **more: Any) -> HostSettings:
    return read_fleet({"host": page_data(folder, **more)}, Lockfile())["host"]


def decide(settings: HostSettings, probe: Probe) -> Any:
    return people.write_people.decide(settings, probe)


def after(settings: HostSettings, probe: Probe) -> Probe:
    change = decide(settings, probe)
    assert isinstance(change, Change)
    return change.predict(probe)


def texts(probe: Probe) -> list[str]:
    return [(probe.files[path].content or b"").decode() for path in FILES]


def sessions(probe: Probe) -> dict[str, str]:
    return {name: token for token, name in re.findall(r'fleethands=([\w-]{43})\(;\|\$\)" (\w+);', texts(probe)[1])}


def test_the_host_has_hashes_alone_and_a_second_run_keeps_them(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    change = decide(settings, bare(settings))
    probe = change.predict(bare(settings))
    people._fits.cache_clear()
    people._hash.cache_clear()  # another run would use another salt

    hashes = dict(line.split(":") for line in texts(probe)[0].splitlines())
    assert {name: bcrypt.checkpw(PASSWORDS[name].encode(), each.encode()) for name, each in hashes.items()} == {
        "ann": True,
        "ben": True,
    }
    assert not [each for each in PASSWORDS.values() if each in "".join(map(str, change.script.values.values()))]
    assert isinstance(decide(settings, probe), Unchanged)
    assert (change.before, change.after, change.diff) == ("none", "ann, ben", "")
    assert len(set(sessions(probe).values())) == 2


def test_only_the_session_of_a_changed_password_ends(tmp_path: Path) -> None:
    before = after(declared(tmp_path), bare(declared(tmp_path)))

    later = after(declared(tmp_path, people={**PASSWORDS, "ann": "ann-other-horse"}), before)

    assert texts(before)[0].splitlines()[1] == texts(later)[0].splitlines()[1]
    assert sessions(before)["ben"] == sessions(later)["ben"]
    assert sessions(before)["ann"] != sessions(later)["ann"]
    revoked = after(declared(tmp_path, people={"ben": PASSWORDS["ben"]}), later)
    assert list(sessions(revoked)) == ["ben"]
    assert "ann" not in "".join(texts(revoked))


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize(
    "file",
    [
        ABSENT,
        File("file", "0644", owner=OWNER, content=b"x"),
        File("file", MODE, owner=OWNER, content=b"\xff\nann:$2b$31$" + b"a" * 53 + b"\nann:\n"),
    ],
)
def test_what_root_of_the_host_wrote_there_is_replaced(tmp_path: Path, path: str, file: File) -> None:
    """A hash of a cost that would keep the controller busy for hours is not even tried."""
    settings = declared(tmp_path)

    probe = after(settings, after(settings, bare(settings)).with_file(path, file))

    assert list(sessions(probe)) == ["ann", "ben"]
    assert isinstance(decide(settings, probe), Unchanged)


def test_a_plan_says_what_v1_cannot_do_there(tmp_path: Path) -> None:
    v1 = declared(tmp_path, openhands_image="docker.openhands.dev/openhands/openhands:1.11")

    assert decide(v1, bare(v1)).notes == decide(v1, after(v1, bare(v1))).notes == (people.NOTE_OF_V1,)
    assert decide(declared(tmp_path), bare(v1)).notes == ()


def test_undeclared_people_leave_no_file(tmp_path: Path) -> None:
    probe = after(declared(tmp_path), bare(declared(tmp_path)))

    for settings in (declared(tmp_path, gateway_page=None), declared(tmp_path, openhands_flavor="canvas", people={})):
        gone = after(settings, probe)
        assert [gone.files[path].kind for path in FILES] == ["absent", "absent"]
        assert isinstance(decide(settings, gone), Unchanged)


def test_a_password_that_goes_away_after_the_settings_were_read_is_a_refusal(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    (tmp_path / "ann.password").unlink()

    refused = decide(settings, bare(settings))

    assert isinstance(refused, Refused)
    assert refused.hints
