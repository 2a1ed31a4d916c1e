"""Values of settings: what upstream reads as it was meant, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.settings import HostSettings, SettingsError
from fleethands.settings.validation.errors import InvalidSetting
from fleethands.settings.values.names import ListenAddress, ModelName
from tests.hosts import declared


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("codellama:7b", "codellama:7b"),
        ("codellama", "codellama:latest"),
        ("team/tiny:v1", "team/tiny:v1"),
        ("registry.ollama.ai/library/tiny", "tiny:latest"),
        ("10.0.0.1:5000/team/tiny:v1", "10.0.0.1:5000/team/tiny:v1"),
    ],
)
def test_model_names_read_as_ollama_lists_them(name: str, short: str) -> None:
    assert str(ModelName.parse(name)) == short


@pytest.mark.parametrize("name", ["", "a b", "a:b:c", "$(id)", "-x", "a/b.c/d/e", "x" * 81, "a\n", "m@sha256:00"])
def test_other_model_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        ModelName.parse(name)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("[::]:8080", "http://[::1]:8080"),
        ("10.1.2.3:80", "http://10.1.2.3:80"),
    ],
)
def test_the_address_to_ask_follows_the_bind(text: str, url: str) -> None:
    assert ListenAddress.parse(text).local_url == url


@pytest.mark.parametrize("text", ["http://0.0.0.0:11434", "localhost", "0.0.0.0:0", "0.0.0.0:70000", "1.2.3:4"])
def test_binds_that_ollama_would_misread_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        ListenAddress.parse(text)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("OLLAMA_FLASH_ATTENTION", "off", "expected False"),
        ("OLLAMA_SCHED_SPREAD", "disabled", "expected False"),
        ("OLLAMA_NO_CLOUD", "yes", "expected True"),
        ("OLLAMA_NUM_PARALLEL", "two", "whole number"),
        ("OLLAMA_MAX_QUEUE", True, "whole number"),
        ("OLLAMA_LOAD_TIMEOUT", "5 minutes", "duration"),
        ("OLLAMA_HOST", "0.0.0.0", "setting `ollama_host`"),
        ("HTTP_PROXY", "http://proxy:3128", "HTTPS_PROXY"),
        ("OLLAMA_NUM_PARALEL", 2, "nearest is `OLLAMA_NUM_PARALLEL`"),
        ("OLLAMA_REGISTRIES", "x", "no such variable"),
    ],
)
def test_values_that_ollama_misreads_are_refused_with_the_right_spelling(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(SettingsError, match=wanted):
        declared(ollama_env={name: value})


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("ollama_version", "v0.24.0", "`0.24.0`, without a leading v"),
        ("ollama_version", "0.24", "all three numbers of a release, such as `0.24.0`"),
        ("ollama_version", 0.24, "all three numbers of a release, such as `0.24.0`"),
        ("ollama_version", "latest", "a release, such as `0.24.0`"),
        ("ollama_keep_alive", "1d", "a duration, such as `24h`"),
        ("ollama_keep_alive", "5min", "a duration, such as `5m`"),
        ("ollama_keep_alive", "forever", "`-1` for ever"),
        ("ollama_keep_alive", "", "a duration such as `30m`"),
        ("ollama_keep_alive", "9999999999", "below 292 years"),
        ("ollama_keep_alive", "2562048h", "below 292 years"),
        ("ollama_keep_alive", "٣m", "a duration such as `30m`"),
        ("ollama_keep_alive", True, "a duration such as `30m`"),
        ("ollama_host", "localhost", "such as `127.0.0.1:11434`"),
        ("ollama_host", "0.0.0.0:11434/", "without a path, such as `0.0.0.0:11434`"),
        ("ollama_host", "http://0.0.0.0:11434/v1", "without a scheme, such as `0.0.0.0:11434`"),
        ("ollama_host", "[fe80::1%a\nb]:1", "one line"),
        ("ollama_host", "[fe80::1%eth0]:1", "IP:PORT"),
        ("ollama_origins", ["null"], "`*` or an origin"),
        ("ollama_origins", ['https://a"'], "without quotes"),
        ("ollama_models_dir", "/srv/a\nb", "one line"),
        ("ollama_models_dir", "/srv/a\0b", "without a zero byte"),
        ("ollama_models_dir", "/srv/\ud800", "UTF-8"),
        ("ollama_models_dir", "/srv/../etc", "absolute path"),
        ("ollama_models_dir", "//etc", "which belongs to the system"),
        ("openhands_workspace", "/", "a directory of its own"),
        ("openhands_workspace", "/proc/1", "which belongs to the system"),
        ("openhands_bind", "0.0.0.0:3000", "an IP address"),
        (
            "openhands_image",
            "ghcr.io/OpenHands/openhands:1",
            "`ghcr.io/openhands/openhands:1`: names are in lower case",
        ),
        ("openhands_image", "a@sha256:abc", "64 lower-case hex digits"),
        ("openhands_image", "a:b@sha512:" + "0" * 128, "64 lower-case hex digits"),
        ("openhands_image", "a:" + "t" * 129, "a tag of at most 128"),
        ("openhands_image", "-v", "an image such as"),
        ("openhands_image", "a b", "an image such as"),
        ("openhands_image", "0" * 64, "an image such as"),
        ("openhands_env", {"OH_PERSISTENCE_DIR": "/x"}, "no such variable"),
        ("openhands_env", {"SANDBOX_USER_ID": 0}, "the setting `openhands_user`"),
        ("openhands_env", {"PORT": 9000}, "the setting `openhands_port`"),
        ("openhands_env", {"LOCAL_BACKEND_API_KEY": "known"}, "each host creates this key"),
        ("openhands_user", "root", "got `root`, as what an agent does would be done as root"),
        ("ollama_env", {"OLLAMA_KV_CACHE_TYPE": " q8_0"}, "without quotes or spaces"),
        ("ollama_env", {"OLLAMA_DEBUG": 5}, "0, 1 or 2"),
        ("ollama_env", {"OLLAMA_NUM_PARALLEL": None}, "a whole number"),
    ],
)
def test_a_value_that_upstream_would_misread_is_refused(key: str, value: Any, wanted: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(wanted)):
        declared(**{key: value})


@pytest.mark.parametrize(
    "image",
    [
        "a",
        "a:b",
        "localhost:5000/a/b__c--d:v1.2",
        "ghcr.io/all-hands-ai/openhands:main",
        "ghcr.io/all-hands-ai/openhands@sha256:" + "0" * 64,
        "ghcr.io/all-hands-ai/openhands:0.62@sha256:" + "0" * 64,
        "[::1]:5000/all-hands-ai/openhands:0.9",
    ],
)
def test_images_are_read_by_tag_and_by_digest(image: str) -> None:
    assert declared(openhands_image=image, openhands_flavor="off").openhands_image == image


@pytest.mark.parametrize(
    ("value", "text"), [("30m", "30m"), (-1, "-1"), ("-1", "-1"), ("1h30m", "1h30m"), ("1.5h", "1.5h"), (0, "0")]
)
def test_durations_are_gos_or_whole_seconds(value: Any, text: str) -> None:
    assert declared(ollama_keep_alive=value).ollama_environment["OLLAMA_KEEP_ALIVE"] == text


@given(st.text(max_size=40) | st.integers() | st.floats() | st.none() | st.lists(st.text(max_size=5), max_size=3))
def test_any_value_of_any_key_is_read_or_named_in_one_line(value: Any) -> None:
    for key in HostSettings.model_fields:
        for mistake in mistakes(key, value):
            assert mistake.path.startswith((key, "models", "openhands"))
            assert str(mistake).isprintable()


def mistakes(key: str, value: Any) -> list[InvalidSetting]:
    try:
        declared(**{key: value})
    except SettingsError as error:
        return error.mistakes
    return []
