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
    kind = values.get("kind", "model")
    return {"kind": kind, "digest": DIGEST, "parts": [DIGEST], **GOOD.get(kind, {"name": "m"}), **values}


GOOD = {
    "release": {"name": "ollama-linux-amd64-rocm.tar.zst", "version": "0.24.0-rc1", "arch": "amd64"},
    "model": {"name": "hf.co/unsloth/Qwen3-0.6B-GGUF:Q4_K_M"},
    "image": {"name": f"registry.example:5000/a/b_c:1.0-x@{DIGEST}", "arch": "arm64"},
    "package": {"name": "libstdc++6", "version": "1:12.2.0-14+deb12u1~bpo", "arch": "amd64", "suite": "debian-13"},
}
BLANK = ("a b", "a\tb", "a\u00a0b", "", "-a", "x" * 501, "a;b", "$(id)", "a'b", 'a"b', "a\\b", "ä", None, 1, ["a"])
HOSTILE = [
    *((kind, "name", value) for kind in GOOD for value in BLANK),
    *((kind, "version", value) for kind in ("release", "package") for value in BLANK),
    *((kind, "arch", value) for kind in ("release", "image", "package") for value in (*BLANK, "mips")),
    *(("package", "suite", value) for value in (*BLANK, "debian 13", "debian-13 x", "../debian-13")),
    ("package", "name", "a"),
    ("package", "name", "Ab"),
    ("package", "name", "a/b"),
    ("release", "name", "../ollama.tgz"),
]
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
    "another time": changed(created="yesterday"),
    "a name of a host that is too long": changed(hosts=["x" * 501]),
    **{
        f"{key} {value!r} of a {kind}": changed(parts=[part()], artifacts=[artifact(kind=kind, **{key: value})])
        for kind, key, value in HOSTILE
    },
    "hosts that are a text": changed(hosts="gpu-1"),
    "nesting without end": b"[" * 100_000,
    "no JSON": b"\x00",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_what_is_no_index_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        BundleIndex.parse(text)


def test_names_and_versions_of_every_kind_are_read() -> None:
    """What is refused above differs from these in one value alone."""
    index = BundleIndex.parse(changed(parts=[part()], artifacts=[artifact(kind=kind) for kind in GOOD]))

    assert [each.name for each in index.artifacts] == [each["name"] for each in GOOD.values()]
    assert [each.version for each in index.artifacts] == [each.get("version", "") for each in GOOD.values()]


def test_an_index_is_read_as_it_was_written() -> None:
    index = index_of(CONTENTS, DIGEST)

    assert BundleIndex.parse(index.text) == index
    assert BundleIndex.parse(index.text).text == index.text
