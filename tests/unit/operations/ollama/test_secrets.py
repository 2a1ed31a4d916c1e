"""Ollama's secrets: where they are written, and which foreign settings win over them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.service import Service, UnitText
from fleethands.operations.core import diff
from fleethands.operations.ollama import foreign_settings
from fleethands.settings import HostSettings, Secret
from fleethands.settings.generations import V1
from fleethands.tasks import ollama
from fleethands.text.systemd import assignment, file_assignment
from tests.hosts import bare, declared
from tests.lab import hostile

DROP_INS = f"{paths.OLLAMA_UNIT}.d"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> HostSettings:
    monkeypatch.setenv("KEY", "hunter2")
    return declared(ollama_env={"OLLAMA_API_KEY": Secret.env("KEY"), "OLLAMA_NUM_PARALLEL": 2})


def test_secrets_lie_beside_the_override_with_the_revision_that_could_tell_them(settings: HostSettings) -> None:
    override, secrets = ollama.render_variables(settings, "12ab")

    assert "hunter2" not in override
    assert "12ab" not in override
    assert f"\nEnvironmentFile=-{paths.OLLAMA_SECRETS}\n" in override
    assert (secrets or "").splitlines()[1:] == ['OLLAMA_API_KEY="hunter2"', 'FLEETHANDS_REVISION="12ab"']


def test_without_secrets_there_is_no_such_file() -> None:
    override, secrets = ollama.render_variables(declared(), "12ab")

    assert ("EnvironmentFile" in override, "12ab" in override, secrets) == (False, True, None)


@pytest.mark.parametrize(
    ("name", "text", "wins"),
    [
        ("90-mine.conf", "Environment=OLLAMA_API_KEY=x", False),  # a file's word counts more
        ("10-mine.conf", "EnvironmentFile=/etc/mine", False),  # fleethands' own file is read after it
        ("90-mine.conf", "EnvironmentFile=/etc/mine", True),
        ("90-mine.conf", "EnvironmentFile=", True),
        ("10-mine.conf", "EnvironmentFile=", None),
        ("90-mine.conf", "UnsetEnvironment=OLLAMA_API_KEY", True),
        ("90-mine.conf", "Environment=", True),
    ],
)
def test_what_wins_over_a_secret(settings: HostSettings, name: str, text: str, wins: bool | None) -> None:
    path = f"{DROP_INS}/{name}"
    drop_in = UnitText(path, f"[Service]\n{text}\n".encode())
    mine = UnitText("/etc/mine", b"OLLAMA_API_KEY=x\n", path)
    service = Service((drop_in,), (mine,) if "/etc/mine" in text else ())

    found = foreign_settings.find_conflicts(
        service, drop_in, foreign_settings.DesiredEnvironment.from_settings(settings)
    )

    assert [each.wins for each in found] == ([] if wins is None else [wins])
    assert "hunter2" not in "".join(map(str, found))


def test_what_a_file_of_variables_holds_beside_ollama_s_own_is_not_shown(settings: HostSettings) -> None:
    unit = UnitText(paths.OLLAMA_UNIT, b"[Service]\nEnvironmentFile=/etc/mine\n")
    mine = UnitText("/etc/mine", b"COMPANY=hunter9\nOLLAMA_MAX_QUEUE=9\n", unit.path)

    found = foreign_settings.find_lost_settings(
        Service((unit,), (mine,)), foreign_settings.DesiredEnvironment.from_settings(settings)
    )

    assert [str(each) for each in found] == [
        "/etc/mine:1 sets COMPANY=********, which is lost: it is not declared",
        "/etc/mine:2 sets OLLAMA_MAX_QUEUE=9, which is lost: it is not declared",
    ]


@given(hostile.texts, hostile.texts)
@example("\\\n#", "")  # a value that continues in what looks like a comment
@example("'\n#", "")
@example("'\n[", "")
def test_no_diff_shows_a_secret_whatever_it_is_made_of(one: str, other: str) -> None:
    try:
        before, after = (f"{text}hunter2{text}" for text in (one, other))
        texts = [
            (
                f"# x\n{file_assignment('A', before)}\n",
                f"# x\n{file_assignment('A', after)}\n{file_assignment('B', 'x')}\n",
            ),
            (f"[Service]\nEnvironment={assignment('A', before)}\n", f"{file_assignment('A', after)}\n"),
            (f"A={before}\n", f"# y\n{file_assignment('A', after)}\n"),
        ]
    except ValueError:
        return
    for old, new in texts:
        before_it, after_it = (File("file", "0600", content=text.encode()) for text in (old, new))
        assert "hunter2" not in diff.unified_diff("/x", before_it, after_it, frozenset({"B"}))


def reported_content(path: str, seen: Probe) -> Any:
    return seen.to_json()["files"][path]["content"]


def test_a_report_tells_neither_size_nor_digest_of_what_not_everybody_may_read() -> None:
    text = b"COMPANY=hunter2\n"
    foreign_ = (
        UnitText("/etc/mine", text, paths.OLLAMA_UNIT),
        UnitText("/etc/y", b"# Written by fleethands\n" + text, "/x"),
    )
    units = (UnitText(paths.OLLAMA_UNIT, b"[Service]\nEnvironment=COMPANY=hunter2\n"),)
    inside, place = (V1.settings_path, V1.directory)
    seen = bare().replace(service=Service(units, foreign_))
    for path, mode in ((paths.OLLAMA_SECRETS, "0600"), (paths.OLLAMA_OVERRIDE, "0644"), (inside, "0644")):
        seen = seen.with_file(path, File("file", mode, content=text))

    service = seen.to_json()["service"]

    assert [each["content"] for each in (*service["units"], *service["files"])] == [None] * 3
    assert reported_content(paths.OLLAMA_SECRETS, seen) is None
    assert reported_content(paths.OLLAMA_OVERRIDE, seen)["size"] == len(text)
    assert reported_content(inside, seen.with_file(place, File("directory", "0755")))["size"] == len(text)
    assert reported_content(inside, seen.with_file(place, File("directory", "0700"))) is None
