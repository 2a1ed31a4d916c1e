"""Hosts with the same settings share one value, and each host still hears of its own mistakes."""

from __future__ import annotations

import pytest

from fleethands.settings import Secret, SettingsError, read_fleet

MODELS = {"models": ["codellama:7b"], "ollama_version": "0.24.0"}


def test_equal_host_data_gives_one_value_whatever_the_connection_is() -> None:
    fleet = read_fleet({"a": {**MODELS, "ssh_hostname": "10.0.0.1"}, "b": {**MODELS, "ssh_hostname": "10.0.0.2"}})

    assert fleet["a"] is fleet["b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ollama_context_length": 4096}, {"ollama_context_length": 8192}),
        ({"openhands_env": {"K": Secret.env("HOME")}}, {"openhands_env": {"K": Secret.env("PATH")}}),
        ({"openhands_env": {"K": Secret.env("HOME")}}, {"openhands_env": {"K": "Secret.env('HOME')"}}),
    ],
)
def test_other_settings_are_another_value(one: dict[str, object], other: dict[str, object]) -> None:
    fleet = read_fleet({"a": {**MODELS, **one}, "b": {**MODELS, **other}})

    assert fleet["a"] == read_fleet({"a": {**MODELS, **one}})["a"]
    assert fleet["b"] == read_fleet({"b": {**MODELS, **other}})["b"]
    assert fleet["a"] is not fleet["b"]


def test_each_host_hears_of_the_mistakes_that_it_shares() -> None:
    fleet = {name: {**MODELS, "ollama_contextlength": 4096} for name in ("a", "b")}
    with pytest.raises(SettingsError) as caught:
        read_fleet({**fleet, "c": MODELS})

    assert [each.host for each in caught.value.mistakes] == ["a", "b"]


def test_equal_values_of_different_types_are_told_apart() -> None:
    fleet = {name: {**MODELS, "openhands_env": {"NEW": value}} for name, value in (("a", 1), ("b", True))}
    with pytest.raises(SettingsError) as caught:
        read_fleet(fleet)

    assert [each.host for each in caught.value.mistakes] == ["b"]
