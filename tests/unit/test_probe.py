"""The probe's answer is read whole or not at all; what could not be read is unknown, never absent."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleethands.facts import Probe, ProbeError, UnknownSection
from fleethands.facts.protocol import SECTIONS
from fleethands.facts.reading import Question, read
from tests.hosts import declared

QUESTION = Question.about(declared())


def answer() -> list[str]:
    """What this machine answers: a real run of the script, whatever is installed here."""
    done = subprocess.run(["sh", "-s"], input=QUESTION.script.encode(), capture_output=True, timeout=60, check=True)
    return done.stdout.decode().split("\n")[:-1]


@pytest.fixture(scope="module")
def real() -> list[str]:
    return answer()


def test_this_machine_is_read(real: list[str]) -> None:
    seen = read(real, QUESTION)

    assert seen.system.arch
    assert seen.files["/opt/ollama/current"].kind in {"absent", "link"}


def test_a_greeting_before_the_answer_is_passed_over(real: list[str]) -> None:
    assert read(["Welcome", *real], QUESTION) == read(real, QUESTION)


def test_every_cut_is_refused(real: list[str]) -> None:
    for length in range(len(real)):
        with pytest.raises(ProbeError):
            read(real[:length], QUESTION)


def test_another_order_is_refused(real: list[str]) -> None:
    begin = real.index(f"{QUESTION.mark} begin units")
    with pytest.raises(ProbeError, match="section `system`"):
        read(real[begin:] + real[:begin], QUESTION)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_answer_is_refused_or_reads_the_same_elsewhere(real: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(real) - 1))
    line = data.draw(st.text(max_size=50).filter(lambda text: "\n" not in text))
    damaged = [*real[:index], line, *real[index + 1 :]]
    whole = read(real, QUESTION)
    try:
        seen = read(damaged, QUESTION)
    except ProbeError:
        return
    assert sum(seen.sections[name] != whole.sections[name] for name in SECTIONS) <= 1


def test_what_could_not_be_read_is_not_taken_for_absent(real: list[str]) -> None:
    end = next(index for index, line in enumerate(real) if line.startswith(f"{QUESTION.mark} end docker "))
    seen: Probe = read([*real[:end], f"{QUESTION.mark} end docker 124", *real[end + 1 :]], QUESTION)

    with pytest.raises(UnknownSection, match="docker: no answer within 5 s"):
        _ = seen.docker
