"""Variables of OpenHands: those that fleethands sets, and those that a user may set instead."""

from __future__ import annotations

import re
from typing import Any

from fleethands.settings.expected import InvalidValue, check_text

OLLAMA_SETTINGS = "`ollama_host`, or `ollama_address` where `ollama_runtime` is `external`"
# A value for these would disconnect the container from Ollama, the workspace or its own settings.
SETTINGS = {
    "LLM_MODEL": "`openhands_model`",
    "LLM_BASE_URL": OLLAMA_SETTINGS,
    "PORT": "`openhands_port`",
    "LLM_OLLAMA_BASE_URL": OLLAMA_SETTINGS,
    "OLLAMA_BASE_URL": OLLAMA_SETTINGS,
    "SANDBOX_USER_ID": "`openhands_user`",
    "WORKSPACE_BASE": "`openhands_workspace`",
    "WORKSPACE_MOUNT_PATH": "`openhands_workspace`",
}
GENERATED = {"LOCAL_BACKEND_API_KEY"}
STATE_VARIABLES = {"FILE_STORE", "FILE_STORE_PATH", "OH_PERSISTENCE_DIR"}
OVERRIDABLE = {
    "LLM_API_KEY": "`ollama`: Ollama checks none, and OpenHands wants one",
    "SANDBOX_STARTUP_GRACE_SECONDS": "`180`, on V1 images",
}


def check_name(name: Any) -> None:
    """Raises ValueError for an invalid name, and for a variable that fleethands sets."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("expected a variable's name: letters, digits and `_`, no digit first")
    if name in SETTINGS:
        raise ValueError(f"use the setting {SETTINGS[name]}: fleethands sets this variable from it")
    if name in GENERATED:
        raise ValueError("expected no such variable: each host creates this key, and `fleethands tunnel` shows it")
    if re.fullmatch(r"OH_CANVAS_SAFE_\w*PORT", name):
        raise ValueError("expected no such variable: fleethands sets it and closes that port to other machines")
    if name in STATE_VARIABLES:
        raise ValueError("expected no such variable: fleethands sets it to the directory of OpenHands' state")


def check_value(value: Any) -> None:
    """Raises InvalidValue for a value that can't be passed to a process."""
    if isinstance(value, bool):
        raise InvalidValue(f"text, such as `{str(value).lower()}`")
    if not isinstance(value, str | int):
        raise InvalidValue("text or a whole number")
    check_text(str(value))
