"""An index is untrusted data: whatever it is, it is read or refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands.bundle.index import BundleIndex
from tests.helpers.bundles import CONTENTS, index_of

DIGEST = "sha256:" + "a" * 64


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(index_of(CONTENTS).text), **values}).encode()


def part(**values: Any) -> dict[str, Any]:
    return {"digest": DIGEST, "size": 1, "is_packed": True, **values}


def artifact(**values: Any) -> dict[str, Any]:
    return {"kind": "model", "name": "m", "digest": DIGEST, "parts": [DIGEST], **values}


INVALID = {
    "another format": changed(format=2),
    "no format": changed(format=None),
    "a size below zero": changed(parts=[part(size=-1)]),
    "a size that is true": changed(parts=[part(size=True)]),
    "a digest that is a path": changed(parts=[part(digest="sha256:../../etc/passwd")]),
    "a part twice": changed(parts=[part(), part()], artifacts=[artifact()]),
    "an artifact with an unknown part": changed(parts=[], artifacts=[artifact()]),
    "an artifact of an unknown kind": changed(parts=[part()], artifacts=[artifact(kind="script")]),
    "an artifact without parts": changed(parts=[part()], artifacts=[artifact(parts=[])]),
    "a name with a newline": changed(parts=[part()], artifacts=[artifact(name="a\nb")]),
    "hosts that are a text": changed(hosts="gpu-1"),
    "nesting without end": b"[" * 100_000,
    "no JSON": b"\x00",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_what_is_no_index_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        BundleIndex.parse(text)


def test_an_index_is_read_as_it_was_written() -> None:
    index = index_of(CONTENTS, DIGEST)

    assert BundleIndex.parse(index.text) == index
    assert BundleIndex.parse(index.text).text == index.text
