"""The probe's answer is read whole or not at all; what could not be read is unknown, never absent."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest

from fleethands.facts import Probe, UnknownSection
from fleethands.facts.apt import Apt
from fleethands.facts.files import ABSENT, File, file_parser
from fleethands.facts.framing import SECTIONS
from fleethands.facts.network import Listener, parse_sockets
from fleethands.facts.ollama import parse_models
from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe_request import ProbeRequest
from fleethands.facts.upstream import Upstream
from tests.answers import QUESTION, answer, ended, sealed
from tests.hosts import declared


@pytest.fixture(scope="module")
def real() -> list[str]:
    return answer()


def test_this_machine_is_read(real: list[str]) -> None:
    seen = parse_probe(real, QUESTION)

    assert seen.system.arch
    assert (seen.system.memory_kib or 0) > 10_000
    assert seen.files["/opt/ollama/current"].kind in {"absent", "link"}
    assert set(seen.disk) == set(QUESTION.places)


def test_a_greeting_before_the_answer_is_passed_over(real: list[str]) -> None:
    assert parse_probe(["Welcome", *real], QUESTION) == parse_probe(real, QUESTION)


def test_half_a_script_does_nothing() -> None:
    script = QUESTION.script.encode()
    done = subprocess.run(["sh", "-s"], input=script[: len(script) // 2], capture_output=True, timeout=60, check=False)

    assert done.stdout == b""


@pytest.mark.parametrize("section", SECTIONS)
def test_what_could_not_be_read_is_not_taken_for_absent(real: list[str], section: str) -> None:
    seen: Probe = parse_probe(ended(real, section, 124), QUESTION)

    if section in {"upstream", "apt"}:  # these only ever say more
        assert (seen.upstream if section == "upstream" else seen.apt) in (Upstream(), Apt())
        return
    with pytest.raises(UnknownSection, match=f"{section}: no answer within 5 s"):
        getattr(seen, section)


def test_a_busy_host_says_how_long_it_waited(real: list[str]) -> None:
    seen = parse_probe(ended(real, "docker", 124, ["late 15"]), QUESTION)

    with pytest.raises(UnknownSection, match="docker: no answer within 15 s"):
        _ = seen.docker


def test_a_daemon_that_hangs_is_named_with_the_command_that_ends_it(real: list[str]) -> None:
    seen = parse_probe(ended(real, "docker", 124), QUESTION)

    with pytest.raises(UnknownSection) as raised:
        _ = seen.docker

    assert raised.value.hints[0].startswith("on the host: systemctl restart docker")


def test_a_missing_command_is_named(real: list[str]) -> None:
    seen = parse_probe(ended(real, "accounts", 127, ["needs getent"]), QUESTION)

    with pytest.raises(UnknownSection, match="accounts: the command `getent` is missing on this host"):
        _ = seen.accounts


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("system", "uid 0"),
        ("system", "color blue"),
        ("disk", "writable"),
        ("gpu", "voodoo 3"),
        ("gpu", "pci 0000:01:00.0 0x121a 0x0005 - - -"),
        ("gpu", "smi 0 MCwgYSBjYXJk"),
        ("packages", "installed sl"),
        ("packages", "installed"),
        ("accounts", "robot r2d2"),
        ("files", "absent"),
        ("ollama", "refused again"),
        ("docker", "secrets none"),
        ("firewall", "none"),
        ("upstream", "model registry.ollama.ai/library/other/7b x86_64 0 e30K"),
        ("upstream", "model registry.ollama.ai/library/codellama/7b x86_64 zero e30K"),
    ],
)
def test_a_line_too_many_makes_its_section_unknown(real: list[str], section: str, line: str) -> None:
    end = next(index for index, row in enumerate(real) if row.startswith(f"{QUESTION.mark} end {section} "))
    row = f"{QUESTION.mark} end {section} 0"

    seen, whole = parse_probe(sealed([*real[:end], line, row, *real[end + 1 :]]), QUESTION), parse_probe(real, QUESTION)

    assert not seen.knows(section)
    assert all(seen.sections[name] == whole.sections[name] for name in SECTIONS if name != section)


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("line", "file"),
    [
        (f"link 1000 1000 {base64_of(b'/x' + bytes([255]))}", File("link", uid=1000, gid=1000, target="/x\\xff")),
        (f"file 600 0 0 root root 4 1 {base64_of(b'longer')}", File("file", "0600", 0, 0, "root:root")),
        ("file 600 0 0 root root 4 1 -", File("file", "0600", 0, 0, "root:root")),
        ("file 600 0 0 root root 4 1 not-base64", File("other")),
        ("file 999 0 0 root root 4 1 -", File("other")),
        ("link  ", File("other")),
        ("socket", File("other")),
    ],
)
def test_an_odd_file_is_odd_alone(line: str, file: File) -> None:
    assert file_parser(["/a", "/b"])([line, "absent"]) == {"/a": file, "/b": ABSENT}


def test_only_what_can_be_a_manifest_is_a_model() -> None:
    digest = "0" * 64
    odd = ["a", "a/b/c", "a/b/c/d/e", "a//c/d", "a b/c/d"]
    lines = [*(f"{digest}  ./{path}" for path in odd), "short  ./a/b/c/d", f"\\{digest}  ./a/b/c\\n/d", ""]

    assert parse_models([*lines, f"{digest}  ./registry.ollama.ai/library/codellama/7b"]) == {"codellama:7b": digest}


def test_a_process_may_call_itself_anything() -> None:
    lines = ['LISTEN 0 5 127.0.0.2:3000 0.0.0.0:* users:(("a', 'LISTEN b",pid=12,fd=3))', '",pid=1,fd=2))', "", "x"]

    assert parse_sockets(lines) == (Listener(3000, "127.0.0.2", ""),)


def test_the_clock_is_measured_around_the_question(real: list[str]) -> None:
    clock = parse_probe(real, QUESTION).system.clock

    assert parse_probe(real, QUESTION, (clock - 1.5, clock + 0.2)).system.skew == 0
    assert parse_probe(real, QUESTION, (clock - 500.0, clock - 400.0)).system.skew == pytest.approx(400, abs=1)
    assert parse_probe(real, QUESTION, (clock + 600.0, clock + 700.0)).system.skew == -600


def test_a_document_is_json_and_names_what_is_unknown(real: list[str]) -> None:
    seen = parse_probe(ended(real, "docker", 124), QUESTION)

    document = json.loads(json.dumps(seen.to_json()))

    assert document.keys() == {*SECTIONS, "record", "sentinel"}
    assert document["docker"] == {"unknown": "no answer within 5 s"}
    assert document["system"]["arch"] == seen.system.arch


def test_values_with_backslashes_and_spaces_arrive() -> None:
    question = ProbeRequest.create(declared(openhands_workspace="/no/such\\n place"), upstream=False)

    seen = parse_probe(answer(question), question)

    assert seen.files["/no/such\\n place"].kind == "absent"
    assert seen.upstream.offers == ()
