"""Answers of an external Ollama become typed values with limits."""

from __future__ import annotations

import base64
import json

import pytest

from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.ollama import Ollama, parse_models, parse_ollama
from tests.helpers.external_ollama import DIGEST


def render_answer(text: str) -> str:
    return "elsewhere " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "version", "way"),
    [
        (
            '{"version":"0.24.0"}\n200|10.0.0.9|10.0.0.5||\n0',
            "0.24.0",
            VersionRequest(0, 200, "", "10.0.0.9", "10.0.0.5"),
        ),
        ("\n000||||Could not connect\n7", None, VersionRequest(7, 0, "Could not connect")),
        ("\n000||||\n28", None, VersionRequest(28)),
        (
            "<html>\n\n301|10.0.0.9|10.0.0.5|https://x/|\n0",
            None,
            VersionRequest(0, 301, "", "10.0.0.9", "10.0.0.5", "https://x/"),
        ),
        ('{"version":"0.24.0"}\n200|::1|::1||\n0', "0.24.0", VersionRequest(0, 200, "", "::1", "::1")),
        ('{"version":5}\n200|a b|\x1b[2J||\n0', None, VersionRequest(0, 200)),
        ('{"version":"' + "x" * 9000, None, VersionRequest()),
        ("", None, VersionRequest()),
    ],
)
def test_an_answer_is_read(text: str, version: str | None, way: VersionRequest) -> None:
    assert parse_ollama([render_answer(text)]) == Ollama(version, way=way)


@pytest.mark.parametrize("line", ["elsewhere", "elsewhere !", "elsewhere " + "=" * 8])
def test_what_is_no_answer_is_unknown(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of which kind is all the same to the reader of a section
        parse_ollama([line])


def test_its_list_is_data_with_limits() -> None:
    listed: list[dict[str, object]] = [
        {"name": "CodeLlama:7B", "digest": DIGEST}, {"name": "x\x1b[2J", "digest": "y"}, {"name": 5},
        {"name": "tiny:latest", "digest": f"sha256:{DIGEST}"}, {"name": "odd:1", "digest": "../../etc"},
    ]  # fmt: skip

    found = parse_models(["tags " + base64.b64encode(json.dumps({"models": listed}).encode()).decode()])

    assert found == {"CodeLlama:7B": DIGEST, "tiny:latest": DIGEST, "odd:1": ""}
    assert parse_models(["tags " + base64.b64encode(b'{"models":null}').decode()]) == {}
    many = b'{"models":[' + b'{"name":"a"},' * 10_000 + b'{"name":"b"}]}'
    with pytest.raises(ValueError, match="too long"):
        parse_models(["tags " + base64.b64encode(many).decode()])
