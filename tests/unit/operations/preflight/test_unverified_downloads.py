"""What comes over plain http without a pin is named in the plan, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.operations.preflight import unverified_downloads
from fleethands.settings.values.source import RELEASES
from tests.hosts import bare, declared

A = "a" * 64
PLAIN = {"ollama_url": "http://mirror.example/ollama"}
MODEL = {"name": "127.0.0.1:9/team/m", "insecure": True}
SOURCE = {"openhands_flavor": "source", "openhands_repo": "http://git.example/openhands", "openhands_ref": "main"}


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (PLAIN, ["Ollama 0.24.0 comes over http: anybody on the way can replace it, as it has no pinned checksum; "]),
        ({**PLAIN, "ollama_transfer": "controller"}, ["Ollama 0.24.0 comes over http: "]),
        ({**PLAIN, "ollama_sha256": A}, []),
        ({**PLAIN, "ollama_sha256": A, "ollama_variant": "rocm"}, ["Ollama 0.24.0 comes over http: "]),
        ({"ollama_url": "https://mirror.example/ollama"}, []),
        ({"ollama_url": "file:///srv/ollama"}, []),
        ({"models": [MODEL]}, ["model 127.0.0.1:9/team/m:latest comes over http: "]),
        ({"models": [{**MODEL, "digest": A}]}, []),
        (SOURCE, ["main of http://git.example/openhands comes over http: "]),
        ({**SOURCE, "openhands_repo": "git://git.example/openhands"}, ["main of git://git.example/openhands comes"]),
        ({**SOURCE, "openhands_ref": "a" * 40}, []),
        ({**SOURCE, "openhands_repo": "https://git.example/openhands"}, []),
        ({"openhands_flavor": "source", "openhands_ref": RELEASES["canvas"]}, []),
    ],
)
def test_what_anybody_on_the_way_can_replace_is_named(data: dict[str, Any], named: list[str]) -> None:
    settings = declared(**{"ollama_version": "0.24.0", "models": ["m"], **data})

    found = unverified_downloads.notes(settings, bare(settings))

    assert [note.startswith(begin) for note, begin in zip(found, named, strict=True)] == [True] * len(named)


def test_what_is_on_the_host_comes_no_more() -> None:
    settings = declared(ollama_version="0.24.0", **PLAIN, models=[MODEL])
    release = {"0.24.0": None}
    seen = bare(settings).replace(models={"127.0.0.1:9/team/m:latest": A}, releases=release)

    assert unverified_downloads.notes(settings, seen) == ()
