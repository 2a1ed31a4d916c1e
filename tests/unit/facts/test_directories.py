"""Where accounts find their directories, by the probe's own script and by what follows from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.directories import Directories, Place, directory_parser
from fleethands.facts.ollama import Ollama, Process
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.models import model_store
from fleethands.operations.system import access
from tests.answers import probe_parts
from tests.hosts import bare, declared

OLLAMA = ("ollama", paths.OLLAMA_HOME)


def ran(call: str, **values: str) -> list[str]:
    """What a function of facts/directories.sh says."""
    given = {"home": paths.OLLAMA_HOME, "directories": "", "models_dir": "/no/models", "accounts": "ollama", **values}
    lines = [f"{name}='{value}'" for name, value in given.items()]
    lines += [probe_parts("directories"), "need() { :; }", 'limit() { "$@"; }', call]
    done = subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory that everybody may enter, with all those above it."""
    top = Path("/srv") / f"fleethands-{os.getpid()}-{tmp_path.name}"
    top.mkdir()
    yield top
    subprocess.run(["rm", "-rf", top], check=True)


def seen_at(*asked: tuple[str, str]) -> Directories:
    text = "\n".join(f"{number} {who} {path}" for number, (who, path) in enumerate(asked))
    return directory_parser(asked)(ran("read_directories", directories=text))


def test_links_are_followed_and_what_is_open_needs_no_word(place: Path) -> None:
    (place / "big").mkdir()
    (place / "link").symlink_to(place / "big")

    found = seen_at(("nobody", f"{place}/link/models"), ("nobody", f"{place}/big"), ("nobody", "/no/such/place"))

    assert found == Directories(leads={f"{place}/link/models": f"{place}/big/models"})


def test_the_first_directory_that_an_account_may_not_enter_is_named(place: Path) -> None:
    (place / "closed" / "inner").mkdir(parents=True)
    (place / "closed").chmod(0o700)
    (place / "own").mkdir()
    os.chown(place / "own", 65534, -1)
    (place / "own").chmod(0o700)
    asked = (
        ("nobody", f"{place}/closed/inner/models"),
        ("nobody", f"{place}/own/models"),
        ("nobody", f"{place}/closed"),
    )

    barred = seen_at(*asked, ("no-such-account", f"{place}/own/models/x")).barred

    assert barred == {
        f"{place}/closed/inner/models": Place(f"{place}/closed", "0700", "root:root", "nobody"),
        f"{place}/own/models/x": Place(f"{place}/own", "0700", "nobody:root", "no-such-account"),
    }


@pytest.mark.parametrize(("mode", "counts"), [(0o755, True), (0o775, False), (0o777, False)])
def test_a_link_counts_where_only_root_could_have_made_it(place: Path, mode: int, counts: bool) -> None:
    (place / "big").mkdir()
    (place / "in").mkdir()
    (place / "in" / "link").symlink_to(place / "big")
    (place / "in").chmod(mode)

    assert ran(f"only_roots {place}/in/link && echo yes || echo no") == ["yes" if counts else "no"]


def test_the_home_is_read_with_what_lies_in_it() -> None:
    settings = declared()
    moved = bare(settings).replace(directories=Directories("/var/lib/ollama")).at_home

    assert model_store.models_directory(settings, moved) == "/var/lib/ollama/.ollama/models"
    assert "/var/lib/ollama" in moved.files
    assert "/var/lib/ollama/.ollama/models" in moved.disk
    assert paths.OLLAMA_HOME not in moved.files


@pytest.mark.parametrize(
    "line", ["home Zm9v", "home L2EvLi4vYg==", "leads 9 L2E=", "leads -1 L2E=", "barred 0 eA== L2E=", "x"]
)
def test_lines_that_are_none_are_refused(line: str) -> None:
    with pytest.raises((ValueError, LookupError)):
        directory_parser([OLLAMA])([line])


def barred(**sections: Any) -> Probe:
    place = Place("/data", "0700", "root:root")
    return bare(declared(ollama_models_dir="/data/models")).replace(
        directories=Directories(barred={"/data/models": place}), **sections
    )


def test_an_account_that_does_not_get_there_is_refused_unless_it_evidently_does() -> None:
    settings = declared(ollama_models_dir="/data/models")
    process = Process(7, 1, f"{paths.RELEASES}/0.24.0/bin/ollama", settings.ollama_environment)

    found = access.check_access(settings, barred())

    assert found == Refused(
        "the user ollama may not enter /data (root:root 0700), and /data/models is below it",
        ("on the host: chmod o+x /data", "or declare another `ollama_models_dir`"),
    )
    assert access.check_access(settings, barred(process=process, ollama=Ollama("0.24.0"))) is None
    assert access.check_access(settings, barred(process=process)) == found


def test_releases_behind_a_link_into_a_home_are_refused_with_the_way_out() -> None:
    seen = bare().replace(directories=Directories(leads={paths.RELEASES: "/home/opt/ollama"}))

    found = access.check_access(declared(), seen)

    assert found is not None
    assert found.hints[0].endswith("on the host: rm /opt && mkdir /opt && mount --bind /home/opt /opt")


def test_models_of_root_are_given_over_and_those_of_a_person_are_named() -> None:
    roots, bobs = (Place("/data/models/blobs", "0755", f"{who}:{who}") for who in ("root", "bob"))
    settings = declared(ollama_models_dir="/data/models")

    change = access.own_models.decide(settings, bare(settings).replace(directories=Directories(kept=roots)))
    same = access.own_models.decide(settings, bare(settings).replace(directories=Directories(kept=bobs)))

    assert isinstance(change, Change)
    assert change.predict(bare(settings).replace(directories=Directories(kept=roots))).directories.kept is None
    assert isinstance(same, Unchanged)
    assert same.notes[0].endswith("on the host: chown -R --from=bob ollama: /data/models")


@pytest.mark.parametrize(
    ("home", "uid", "taken"),
    [
        ("{place}", 0, True),
        ("{place}", 999, False),  # another account's
        ("{place}/none", 0, False),
        ("/var/lib/ollama", 999, True),  # upstream's, not made yet
        ("/home/ollama", 999, False),
        ("/", 999, False),
        ("/srv/../srv", 0, False),
        ("", 999, False),
    ],
)
def test_an_accounts_home_is_taken_where_it_is_its_own(place: Path, home: str, uid: int, taken: bool) -> None:
    home = home.format(place=place)
    getent = f"getent() {{ echo 'ollama:x:{uid}:{uid}:Ollama:{home}:/bin/false'; }}"

    assert ran(f"{getent}\nown_home; echo $home") == [home if taken else paths.OLLAMA_HOME]
