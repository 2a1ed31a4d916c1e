"""Settings keep all they say on their way to a host's record and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fleethands.settings import HostSettings, Secret, read_fleet
from fleethands.settings.declared import host_data, written

line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
word = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
digest = st.text("0123456789abcdef", min_size=64, max_size=64)
port = st.integers(1, 65535)
duration = st.one_of(st.integers(-9, 9999), st.from_regex(r"[1-9]{1,3}(ms|s|m|h)", fullmatch=True))
secret = st.builds(Secret.file, st.just("/etc/hostname")) | st.builds(Secret.env, st.just("HOME"))
host = st.sampled_from(["", "team/", "registry.example:5000/team/", "Library/"])
name = st.builds("{}{}:{}".format, host, word, word)
model = name | st.fixed_dictionaries(
    {"name": name}, optional={"digest": digest, "insecure": st.booleans(), "preload": st.booleans()}
)
ip = st.ip_addresses().map(str)
address = st.tuples(st.ip_addresses(v=4).map(str), port).map("{0[0]}:{0[1]}".format) | st.tuples(
    st.ip_addresses(v=6).map(str), port
).map("[{0[0]}]:{0[1]}".format)
path = st.lists(word, min_size=2, max_size=4).map(lambda parts: "/srv/" + "/".join(parts))
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "ollama_version": st.sampled_from(["0.24.0", "0.24.1", "0.32.15", "0.24.0-rc1"]),
    "ollama_url": st.sampled_from(["https://mirror.example/o", "file:///srv/o"]),
    "ollama_transfer": st.sampled_from(["host", "controller"]),
    "ollama_sha256": digest | st.dictionaries(st.sampled_from(["amd64", "arm64"]), digest, min_size=1),
    "ollama_variant": st.sampled_from([None, "cpu", "cuda", "rocm"]),
    "ollama_host": address,
    "ollama_origins": st.lists(st.sampled_from(["*", "https://a.example", "http://b.example:8080"]), max_size=3),
    "ollama_context_length": st.none() | st.integers(1, 1 << 40),
    "ollama_keep_alive": st.none() | duration,
    "ollama_env": st.fixed_dictionaries(
        {},
        optional={
            "OLLAMA_NUM_PARALLEL": st.integers(0, 9999),
            "OLLAMA_FLASH_ATTENTION": st.booleans(),
            "OLLAMA_LOAD_TIMEOUT": duration,
            "OLLAMA_API_KEY": secret,
            "HTTPS_PROXY": secret | line,
        },
    ),
    "ollama_models_dir": st.none() | path,
    "ollama_adopt": st.booleans(),
    "models": st.lists(model, min_size=1, max_size=4, unique_by=lambda each: _name(each).lower()),
    "models_prune": st.booleans(),
    "openhands_flavor": st.sampled_from(["gui", "canvas", "source", "off"]),
    "openhands_pull": st.sampled_from(["missing", "always"]),
    "openhands_settings": st.sampled_from(["kept", "enforced"]),
    "openhands_bind": ip,
    "openhands_workspace": path.map(lambda place: place.replace("/srv/", "/mnt/", 1)),
    "openhands_env": st.dictionaries(
        st.from_regex(r"MY_[A-Z]{1,9}", fullmatch=True), line | st.integers() | secret, max_size=4
    ),
    "openhands_user": word.map("u-{:.20}".format),
    "firewall": st.booleans(),
    "allow_from": st.lists(st.sampled_from(["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"]), max_size=3),
    "gpu": st.sampled_from([None, True, False]),
}


def _name(model: str | dict[str, Any]) -> str:
    text = model if isinstance(model, str) else str(model["name"])
    return text.removeprefix("Library/")


@profile(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({"models": KEYS.pop("models")}, optional=KEYS))
def test_there_and_back(data: dict[str, Any]) -> None:
    if "openhands_flavor" in data and data["openhands_flavor"] != "off":
        data["openhands_port"] = 3999
        data.pop("ollama_host", None)
    if data.get("openhands_flavor") == "source":
        data["firewall"] = True
    settings = read_fleet({"host": data})["host"]

    kept = json.loads(json.dumps(written(settings)))

    assert read_fleet({"host": host_data(kept)})["host"] == settings


def test_a_secret_is_only_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY", "http://user:hunter2@proxy:3128")
    settings = read_fleet({"host": {"models": ["tiny"], "ollama_env": {"HTTPS_PROXY": Secret.env("PROXY")}}})["host"]

    kept = written(settings)

    assert "hunter2" not in json.dumps(kept)
    assert kept["ollama_env"] == {"HTTPS_PROXY": {"secret": "env", "place": "PROXY"}}


def test_every_key_is_kept_with_its_default() -> None:
    settings = read_fleet({"host": {"models": ["tiny"]}})["host"]

    kept = written(settings)

    assert kept["ollama_version"] == settings.ollama_version
    assert kept["openhands_image"] == settings.openhands_image
    assert HostSettings.model_fields.keys() - kept.keys() == {
        key for key in HostSettings.model_fields if getattr(settings, key) is None
    }


@pytest.mark.parametrize("row", [{"secret": "vault", "place": "x"}, {"secret": "env"}, {}])
def test_another_kind_of_secret_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not known here"):
        host_data({"openhands_env": {"A": row}})
