"""Options of a deploy file, as the command line and stock pyinfra give them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fleethands.deploy_options import DeployOptions


def given(**data: Any) -> DeployOptions:
    return DeployOptions.from_host(SimpleNamespace(data=SimpleNamespace(dict=lambda: data)))


def test_host_data_gives_the_same_options() -> None:
    options = DeployOptions(verify="never", check_tags={"m": "d"}, conversation=True, uninstall_models=True)

    assert given(**options.to_host_data()) == options
    assert given() == DeployOptions()


@pytest.mark.parametrize(("value", "expected"), [(0, False), (1, True), ("", False), (False, False), (None, False)])
def test_a_flag_is_true_or_false_for_each_value_of_pyinfras_command_line(value: Any, expected: bool) -> None:
    assert given(fleethands_conversation=value).conversation is expected
