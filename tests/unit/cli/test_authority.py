"""`fleethands authority`: the private key is written once, for its owner alone, and never printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleethands.tls.authority import Authority
from tests.helpers.certificates import certificate as make_certificate
from tests.helpers.certificates import ec_key, is_authority, key_text, text
from tests.helpers.command_line import fleethands

FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")


def pem(path: Path) -> str:
    return path.read_text()


def test_create_writes_one_private_file_and_shows_the_next_step(tmp_path: Path) -> None:
    done = fleethands("authority", "create", "authority.pem", cwd=tmp_path)

    created = Authority.read(pem(tmp_path / "authority.pem"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Created authority.pem, with a certificate and its private key\n\n"
        "name         fleethands authority\n"
        f"valid until  {created.ends:%Y-%m-%d}\n"
        f"sha256       {created.fingerprint}\n\n"
        "Anyone who has authority.pem can make certificates that your clients trust. Do not commit it.\n\n"
        "Write these lines into the inventory, the second into the data of the hosts with a gateway:\n\n"
        "from fleethands.settings import Secret\n"
        '    "gateway_authority": Secret.file("authority.pem"),\n'
    )
    assert abs(created.ends - datetime.now(UTC) - timedelta(days=3650)) < timedelta(hours=1)
    assert [path.name for path in tmp_path.iterdir()] == ["authority.pem"]
    assert (tmp_path / "authority.pem").stat().st_mode & 0o777 == 0o600


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a b.pem").write_text("mine")

    done = fleethands("authority", "create", "a b.pem", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: `a b.pem` exists already; nothing was written\n\n"
        "hint: if it is the authority of your fleet, use it; see what it is: `ls -ld 'a b.pem'`\n"
    )
    assert (tmp_path / "a b.pem").read_text() == "mine"


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = fleethands("authority", "create", "no where/authority.pem", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        "error: cannot write `no where/authority.pem`: No such file or directory\n\n"
        "hint: create its directory: `mkdir -p 'no where'`\n"
    )


def test_show_prints_the_certificate_alone(tmp_path: Path) -> None:
    authority = Authority.create("our hosts", datetime.now(UTC))
    (tmp_path / "authority.pem").write_text(authority.pem)

    done = fleethands("authority", "show", "authority.pem", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, authority.certificate_pem)
    assert "name         our hosts\n" in done.stderr
    assert authority.fingerprint in done.stderr
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=done.stdout, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert shown.stdout.strip().endswith(authority.fingerprint)


def test_both_print_one_document(tmp_path: Path) -> None:
    created = fleethands("authority", "create", "a.pem", "--name", "our hosts", "--json", cwd=tmp_path)
    shown = fleethands("authority", "show", "a.pem", "--json", cwd=tmp_path)

    authority = Authority.read(pem(tmp_path / "a.pem"))
    same = {
        "schema": 1,
        "file": "a.pem",
        "name": "our hosts",
        "ends": f"{authority.ends:%Y-%m-%dT%H:%M:%SZ}",
        "fingerprint": authority.fingerprint,
        "certificate": authority.certificate_pem,
    }
    assert json.loads(created.stdout) == {**same, "command": "authority create", "result": "changed"}
    assert json.loads(shown.stdout) == {**same, "command": "authority show", "result": "unchanged"}
    assert (created.stderr, shown.stderr) == ("", "")
    assert FINGERPRINT.fullmatch(authority.fingerprint)


@pytest.mark.parametrize("action", ["create", "show"])
@pytest.mark.parametrize("words", [[], ["--json"]])
def test_no_output_has_a_private_key(tmp_path: Path, action: str, words: list[str]) -> None:
    path = tmp_path / "authority.pem"
    if action == "show":
        path.write_text(Authority.create("tests", datetime.now(UTC)).pem)

    done = fleethands("authority", action, "authority.pem", *words, cwd=tmp_path)

    key = key_text(Authority.read(pem(path)).key).splitlines()
    assert done.returncode == 0
    assert not [line for line in key if line in done.stdout + done.stderr]


def test_an_expired_authority_is_shown_with_a_note(tmp_path: Path) -> None:
    old = Authority.create("old", datetime(2001, 1, 1, tzinfo=UTC))
    (tmp_path / "authority.pem").write_text(old.pem)

    done = fleethands("authority", "show", "authority.pem", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, old.certificate_pem)
    assert "note: authority.pem cannot issue certificates: it ended on 2010-12-30\n" in done.stderr


def test_a_file_that_is_not_an_authority_is_an_error_of_one_line(tmp_path: Path) -> None:
    key = ec_key()
    (tmp_path / "server.pem").write_text(text(make_certificate(key, datetime.now(UTC))) + key_text(key))
    (tmp_path / "root.pem").write_text(text(make_certificate(key, datetime.now(UTC), is_authority())))
    (tmp_path / "root.der").write_bytes(b"\x30\x82\xff")
    reasons = {
        "server.pem": "`server.pem` is not an authority: its certificate is not one of an authority",
        "root.pem": "`root.pem` is not an authority: it has no private key",
        "root.der": "`root.der` is not an authority: it is not PEM",
        "none.pem": "there is no `none.pem`",
    }
    for name, reason in reasons.items():
        done = fleethands("authority", "show", name, cwd=tmp_path)

        hint = (
            "name the file of your fleet's authority; if it has none yet: `fleethands authority create authority.pem`"
        )
        if name == "none.pem":
            hint = "if the fleet has none yet, create it: `fleethands authority create none.pem`"
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"error: {reason}\n\nhint: {hint}\n"


def test_a_name_that_no_certificate_can_have_is_a_usage_error(tmp_path: Path) -> None:
    done = fleethands("authority", "create", "a.pem", "--name", "x" * 65, cwd=tmp_path)

    assert (done.returncode, done.stdout, [*tmp_path.iterdir()]) == (64, "", [])
    assert done.stderr.startswith("error: `--name`: expected printable text of 1 to 64 bytes\n\nhint: ")


@pytest.fixture
def work_tree(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "keys").mkdir()
    return tmp_path


def git(place: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(place), *words], capture_output=True, text=True, timeout=60, check=True
    ).stdout


@pytest.mark.parametrize("name", ["authority.pem", "keys/#a [1]*?\\.pem", "keys/!ü.pem", "keys/a "])
def test_git_ignores_the_file_after_the_line_that_the_note_shows(work_tree: Path, name: str) -> None:
    done = fleethands("authority", "create", name, "--json", cwd=work_tree)

    noted = re.fullmatch(r"note: git does not ignore (.*): add the line `(.*)` to (.*)\n", done.stderr)
    assert noted, done.stderr
    assert (json.loads(done.stdout)["file"], noted[1], noted[3]) == (name, name, str(work_tree / ".gitignore"))
    (work_tree / ".gitignore").write_text(f"{noted[2]}\n")
    (work_tree / "keys/other").write_text("")
    assert git(work_tree, "status", "--porcelain", "-uall").splitlines() == ["?? .gitignore", "?? keys/other"]
    (work_tree / name).unlink()

    again = fleethands("authority", "create", name, cwd=work_tree)

    assert (again.returncode, again.stderr) == (0, "")


def test_a_file_of_an_ignored_directory_needs_no_line(work_tree: Path) -> None:
    (work_tree / ".gitignore").write_text("keys/\n")

    assert fleethands("authority", "create", "keys/a.pem", cwd=work_tree).stderr == ""
    assert fleethands("authority", "create", "b.pem", cwd=work_tree / "keys").stderr == ""


def test_without_git_the_note_is_shown(work_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work_tree / ".gitignore").write_text("*.pem\n")
    assert shutil.which("git")
    monkeypatch.setenv("PATH", str(work_tree / "keys"))

    done = fleethands("authority", "create", "a.pem", cwd=work_tree)

    assert done.stderr == f"note: git does not ignore a.pem: add the line `/a.pem` to {work_tree}/.gitignore\n"
