"""Hostile values reach their place byte for byte, and run nothing on the way."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.script import Script
from fleethands.text.systemd import assignment

no_nul = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


def run(script: Script) -> str:
    done = subprocess.run(["sh", "-s"], input=script.text.encode(), capture_output=True, timeout=10, check=True)
    return done.stdout.decode()


@given(no_nul)
def test_a_script_sees_its_values_byte_for_byte(value: str) -> None:
    assert run(Script('printf %s "$value"', {"value": value})) == value


@given(no_nul)
def test_exported_values_arrive_byte_for_byte(value: str) -> None:
    assert run(Script("exported; exec sh -c 'printf %s \"$Anything\"'", exports={"Anything": value})) == value


def test_a_script_asks_the_engine_of_its_host_and_writes_where_every_host_can() -> None:
    login = {
        "DOCKER_HOST": "tcp://192.0.2.1:2375",
        "DOCKER_CONTEXT": "desktop-linux",
        "DOCKER_API_VERSION": "1.99",
        "TMPDIR": "/scratch",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "DOCKER_CONTENT_TRUST": "1",
    }
    text = Script("env | grep -E '^(DOCKER|TMP|HTTPS)' | sort").text

    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=True, env=login, timeout=10)

    assert done.stdout.split() == [
        "DOCKER_CONTENT_TRUST=1",
        "DOCKER_HOST=unix:///var/run/docker.sock",
        "HTTPS_PROXY=http://proxy.example:3128",
    ]


def test_half_a_script_does_nothing() -> None:
    text = Script("echo reached").text
    for cut in range(text.rindex("main") + 3):
        done = subprocess.run(["sh", "-s"], input=text[:cut].encode(), capture_output=True, timeout=10, check=False)
        assert b"reached" not in done.stdout, cut


@pytest.mark.parametrize("name", ["a b", "x;y", "", "1a", "a\n"])
def test_names_that_are_no_variables_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="shell variable"):
        _ = Script("", {name: "x"}).text


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("*", '"A=*"'),
        ('say "hi"', r'"A=say \"hi\""'),
        ("50%", '"A=50%%"'),
        ("a\\b", r'"A=a\\b"'),
        ("$HOME", '"A=$HOME"'),
        ("two\nlines", r'"A=two\nlines"'),
        ("é", '"A=é"'),
    ],
)
def test_systemd_words(value: str, word: str) -> None:
    assert assignment("A", value) == word
