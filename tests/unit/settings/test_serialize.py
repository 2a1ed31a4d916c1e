"""Settings keep all they say on their way to a host's record and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fleethands.settings import HostSettings, Secret, read_fleet
from fleethands.settings.schema.models import Model
from fleethands.settings.serialize import (
    ENVIRONMENTS,
    SECRET_DICTIONARIES,
    SECRET_KEYS,
    TODAYS,
    UndeclaredPlaces,
    from_json,
    to_json,
)
from tests.hosts import declared

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
WEBHOOK = Secret.command("echo https://alerts.example/token")
KEY = Secret.command("echo correct horse battery staple")
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

    kept = json.loads(json.dumps(to_json(settings)))

    assert read_fleet({"host": from_json(kept, settings)})["host"] == settings


def test_a_secret_is_only_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY", "http://user:hunter2@proxy:3128")
    settings = read_fleet({"host": {"models": ["tiny"], "ollama_env": {"HTTPS_PROXY": Secret.env("PROXY")}}})["host"]

    kept = to_json(settings)

    assert "hunter2" not in json.dumps(kept)
    assert kept["ollama_env"] == {"HTTPS_PROXY": {"secret": "env", "place": "PROXY"}}


def test_every_key_is_kept_with_its_default() -> None:
    settings = read_fleet({"host": {"models": ["tiny"]}})["host"]

    kept = to_json(settings)

    assert kept["ollama_version"] == settings.ollama_version
    assert kept["openhands_image"] == settings.openhands_image
    assert HostSettings.model_fields.keys() - kept.keys() == {
        *TODAYS,
        *(key for key in HostSettings.model_fields if getattr(settings, key) is None),
    }


TODAY = {
    "models": ["tiny", {"name": "own:1", "modelfile": "Modelfile"}],
    "ollama_env": {"OLLAMA_API_KEY": Secret.env("KEY"), "HTTPS_PROXY": "http://proxy:3128"},
    "openhands_env": {"TOKEN": Secret.file("/etc/hostname")},
}


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HostSettings:
    monkeypatch.setenv("KEY", "hunter2")
    monkeypatch.chdir(tmp_path)
    Path("Modelfile").write_text("FROM tiny\n")
    return read_fleet({"host": TODAY})["host"]


def env(place: str) -> dict[str, str]:
    return {"secret": "env", "place": place}


def test_what_the_inventory_declares_comes_back(today: HostSettings) -> None:
    kept = json.loads(json.dumps(to_json(today)))

    found = from_json(kept, today)

    assert found["ollama_env"]["OLLAMA_API_KEY"] is today.ollama_env["OLLAMA_API_KEY"]
    assert found["openhands_env"]["TOKEN"] is today.openhands_env["TOKEN"]
    assert found["models"][1]["modelfile"] == "Modelfile"


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"ollama_env": {"OLLAMA_API_KEY": env("AWS_SECRET_ACCESS_KEY")}}, "ollama_env.OLLAMA_API_KEY"),
        ({"ollama_env": {"OLLAMA_API_KEY": {"secret": "file", "place": "KEY"}}}, "ollama_env.OLLAMA_API_KEY"),
        ({"ollama_env": {"OLLAMA_REMOTES": env("KEY")}}, "ollama_env.OLLAMA_REMOTES"),  # another variable
        ({"ollama_env": {"HTTPS_PROXY": env("KEY")}}, "ollama_env.HTTPS_PROXY"),
        ({"ollama_env": {"TOKEN": {"secret": "file", "place": "/etc/hostname"}}}, "ollama_env.TOKEN"),  # another key
        ({"openhands_env": {"OLLAMA_API_KEY": env("KEY")}}, "openhands_env.OLLAMA_API_KEY"),
        ({"openhands_env": {"TOKEN": {"secret": "file", "place": "~/.ssh/id_ed25519"}}}, "openhands_env.TOKEN"),
        ({"openhands_env": {"TOKEN": {"secret": "vault", "place": "x"}}}, "openhands_env.TOKEN"),
        ({"openhands_env": {"TOKEN": {"secret": ["env"], "place": 5}}}, "openhands_env.TOKEN"),
        ({"openhands_env": {"TOKEN": {}}}, "openhands_env.TOKEN"),
        ({"models": [{"name": "own:1", "modelfile": "/etc/shadow"}]}, "models.0.modelfile"),
        ({"models": ["tiny", {"name": "tiny", "modelfile": "Modelfile"}]}, "models.1.modelfile"),
        ({"models": [{"name": 5, "modelfile": "Modelfile"}]}, "models.0.modelfile"),
        ({"models": [{"modelfile": ["Modelfile"]}]}, "models.0.modelfile"),
    ],
)
def test_a_place_on_the_controller_that_is_not_declared_today_is_refused(
    today: HostSettings, row: dict[str, Any], key: str
) -> None:
    with pytest.raises(UndeclaredPlaces) as caught:
        from_json({**json.loads(json.dumps(to_json(today))), **row}, today)

    assert [each for each, _ in caught.value.places] == [key]


def test_every_key_was_looked_at_for_places_on_the_controller() -> None:
    """A new key that names one must be held against the inventory, before it is listed here."""
    held = {"ollama_env", "openhands_env", "models"}  # by host_data: secrets and Modelfiles
    from_the_inventory = {"ollama_transfer", "ollama_url"}  # by Back.gentle, where the controller fetches
    hosts_own = {
        # a host's Docker pulls the image, and the host itself asks the address
        *("ollama_runtime", "ollama_image", "ollama_address"),
        *("ollama_version", "ollama_sha256", "ollama_variant", "ollama_host", "ollama_origins"),
        *("ollama_context_length", "ollama_keep_alive", "ollama_models_dir", "ollama_adopt", "models_prune"),
        *("openhands_flavor", "openhands_image", "openhands_generation", "openhands_repo", "openhands_ref"),
        *("openhands_pull", "openhands_model", "openhands_settings", "openhands_adopt", "openhands_port"),
        *("openhands_bind", "openhands_workspace", "openhands_user", "firewall", "allow_from", "gpu"),
    }
    assert set(HostSettings.model_fields) == held | from_the_inventory | hosts_own | set(TODAYS)
    assert set(Model.model_fields) == {"name", "digest", "insecure", "preload", "modelfile"}
    carries = {key for key, field in HostSettings.model_fields.items() if "Secret" in str(field.annotation)}
    assert carries - set(TODAYS) == set(ENVIRONMENTS)
    assert carries == {*SECRET_DICTIONARIES, *SECRET_KEYS}


def test_how_downloads_reach_a_host_is_todays_and_not_in_its_record() -> None:
    """So a limit makes no new record, and a rollback keeps to it."""
    then = declared(share=True, site="old", download_limit="1 MiB/s")
    today = declared(site="new", download_limit="8 MiB/s")

    assert set(to_json(then)).isdisjoint(TODAYS)
    back = read_fleet({"host": from_json({**to_json(then), "share": True}, today)})["host"]
    assert (back.share, back.site, back.download_limit) == (False, "new", 8 << 20)


def test_the_sentinel_is_todays_and_a_record_names_no_secret_of_it() -> None:
    """So a rollback does not switch it off."""
    today = declared(sentinel=True, sentinel_webhook=WEBHOOK, sentinel_key=KEY)
    record = {
        **to_json(declared()),
        "sentinel_key": env("AWS_SECRET_ACCESS_KEY"),
        "sentinel_webhook": "http://elsewhere",
    }

    back = read_fleet({"host": from_json(record, today)})["host"]

    assert (back.sentinel, back.sentinel_webhook, back.sentinel_key) == (True, WEBHOOK, KEY)
    assert read_fleet({"host": from_json(record, declared())})["host"].sentinel_key is None
    assert "sentinel" not in json.dumps(to_json(today))
