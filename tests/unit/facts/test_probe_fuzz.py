"""
Whatever arrives instead of an answer: a ProbeError that names a section where it is not whole, a section that is
unknown where one does not read as expected; never a wrong value, never a hang.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleethands.facts import ProbeError
from fleethands.facts.framing import SECTIONS
from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe_request import ProbeRequest
from tests.answers import QUESTION, answer, ended, sealed
from tests.hosts import declared

SEEDS = range(60)
NAMES = {*SECTIONS, "done"}


@pytest.fixture(scope="module")
def real() -> list[str]:
    return answer()


@pytest.fixture(scope="module")
def other() -> tuple[ProbeRequest, list[str]]:
    question = ProbeRequest.create(declared(ollama_url="file:///no/such/mirror"), upstream=False)
    return question, answer(question)


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 60


def dice(seed: int) -> random.Random:
    return random.Random(seed)


def refused(lines: list[str]) -> None:
    with pytest.raises(ProbeError) as raised:
        parse_probe(lines, QUESTION)
    assert raised.value.section in NAMES
    assert f"`{raised.value.section}`" in str(raised.value)


def unknown(lines: list[str], section: str, real: list[str]) -> None:
    seen, whole = parse_probe(lines, QUESTION), parse_probe(real, QUESTION)
    assert not seen.knows(section)
    assert all(seen.sections[name] == whole.sections[name] for name in SECTIONS if name != section)


def test_every_cut_is_refused(real: list[str]) -> None:
    for length in range(len(real)):
        refused(real[:length])
    for length in range(1, len(real[-1])):
        refused([*real[:-1], real[-1][:length]])


@pytest.mark.parametrize("seed", SEEDS)
def test_sections_in_another_order_are_refused(real: list[str], seed: int) -> None:
    begins = [index for index, line in enumerate(real) if line.startswith(f"{QUESTION.mark} begin ")]
    blocks = [real[begin:end] for begin, end in zip(begins, [*begins[1:], len(real) - 1], strict=True)]
    order = dice(seed).sample(range(len(blocks)), len(blocks))
    if order == sorted(order):
        return
    refused(sealed([line for index in order for line in blocks[index]] + real[-1:]))


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_twice_is_refused(real: list[str], section: str) -> None:
    begin = real.index(f"{QUESTION.mark} begin {section}")
    end = next(index for index, line in enumerate(real) if line.startswith(f"{QUESTION.mark} end {section} "))

    refused(sealed([*real[: end + 1], *real[begin:]]))


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_less_is_refused(real: list[str], section: str) -> None:
    begin = real.index(f"{QUESTION.mark} begin {section}")
    end = next(index for index, line in enumerate(real) if line.startswith(f"{QUESTION.mark} end {section} "))

    refused(sealed([*real[:begin], *real[end + 1 :]]))


@pytest.mark.parametrize("seed", SEEDS)
def test_two_answers_merged_are_refused(real: list[str], other: tuple[ProbeRequest, list[str]], seed: int) -> None:
    chance = dice(seed)
    first, second = list(real), list(other[1])
    merged = []
    while first and second:
        merged.append((first if chance.random() < 0.5 else second).pop(0))

    refused([*merged, *first, *second])


@pytest.mark.parametrize("seed", SEEDS)
def test_binary_in_the_midst_is_refused(real: list[str], seed: int) -> None:
    chance = dice(seed)
    noise = chance.randbytes(chance.randint(1, 400)).decode("latin-1").split("\n")
    index = chance.randint(real.index(f"{QUESTION.mark} begin system") + 1, len(real) - 1)

    refused([*real[:index], *noise, *real[index:]])


def test_binary_alone_is_refused() -> None:
    noise = dice(7).randbytes(1 << 20).decode("latin-1")

    refused(noise.split("\n"))
    refused([])


@settings(max_examples=300, deadline=2000)
@given(st.data())
def test_a_damaged_line_is_refused(real: list[str], data: st.DataObject) -> None:
    first = real.index(f"{QUESTION.mark} begin system")
    index = data.draw(st.integers(first, len(real) - 1))
    line = data.draw(st.text(max_size=80).filter(lambda text: "\n" not in text and text != real[index]))
    if index == first and not line.startswith(QUESTION.mark):
        refused([*real[:index], *real[index + 1 :]])
    else:
        refused([*real[:index], line, *real[index + 1 :]])


@settings(max_examples=300, deadline=2000)
@given(st.data())
def test_a_sound_frame_with_another_line_differs_in_its_section_alone(real: list[str], data: st.DataObject) -> None:
    """Past the digest: no reader fails, and none looks at another's lines. A mark in the wrong place is refused."""
    first = real.index(f"{QUESTION.mark} begin system")
    index = data.draw(st.integers(first, len(real) - 2))
    line = data.draw(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
    whole = parse_probe(real, QUESTION)
    try:
        seen = parse_probe(sealed([*real[:index], line, *real[index + 1 :]]), QUESTION)
    except ProbeError:
        assert real[index].startswith(QUESTION.mark) or line.startswith(QUESTION.mark)
        return
    assert sum(seen.sections[name] != whole.sections[name] for name in SECTIONS) <= 1


@pytest.mark.parametrize("line", ["x" * 1000, "user a", "installed zstd"])
@pytest.mark.parametrize("section", ["system", "accounts", "upstream"])
def test_ten_megabytes_are_refused_at_once(real: list[str], section: str, line: str) -> None:
    begin = real.index(f"{QUESTION.mark} begin {section}")
    flood = [line] * (10_000_000 // (len(line) + 1))
    start = time.process_time()

    refused([*real[: begin + 1], *flood, *real[begin + 1 :]])
    refused(flood)
    assert time.process_time() - start < 5


def test_one_line_of_ten_megabytes_is_read_at_once(real: list[str]) -> None:
    begin = real.index(f"{QUESTION.mark} begin sockets")
    listens = "LISTEN 0 0 127.0.0.1:1 0.0.0.0:*"
    lines = ("a" * 10_000_000, "LISTEN 0 0 " + "1" * 10_000_000, listens + " " * 10_000_000 + "x")
    for line in (*lines, listens + ' users:(("' + '",pid=1,' * 1_000_000):
        seen = parse_probe(sealed([*real[: begin + 1], line, *real[begin + 1 :]]), QUESTION)
        assert {each.port for each in seen.sockets} <= {1, *(each.port for each in parse_probe(real, QUESTION).sockets)}


@pytest.mark.parametrize("section", ["ollama", "upstream", "docker"])
def test_json_nested_without_end_makes_its_section_unknown(real: list[str], section: str) -> None:
    nested = base64.b64encode(b"[" * 1_000_000).decode()
    body = {
        "ollama": [nested],
        "upstream": [f"model 127.0.0.1:9/library/codellama/7b x86_64 0 {nested}", "model"],
        "docker": ["version 1", f"container {nested}", "image -"],
    }

    unknown(ended(real, section, 0, body[section]), section, real)
