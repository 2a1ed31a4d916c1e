"""Variables of OpenHands' container: what fleethands sets itself, and where a user's own value counts."""

from __future__ import annotations

import re
from typing import Any

from fleethands.settings.expected import Expected, text

OLLAMAS = "`ollama_host`, or `ollama_address` where `ollama_runtime` is `external`"
# A value here would cut the container off from Ollama, from the workspace or from its own settings.
ELSEWHERE = {
    "LLM_MODEL": "`openhands_model`",
    "LLM_BASE_URL": OLLAMAS,
    "PORT": "`openhands_port`",
    "LLM_OLLAMA_BASE_URL": OLLAMAS,
    "OLLAMA_BASE_URL": OLLAMAS,
    "SANDBOX_USER_ID": "`openhands_user`",
    "WORKSPACE_BASE": "`openhands_workspace`",
    "WORKSPACE_MOUNT_PATH": "`openhands_workspace`",
}
MADE = {"LOCAL_BACKEND_API_KEY"}
KEPT = {"FILE_STORE", "FILE_STORE_PATH", "OH_PERSISTENCE_DIR"}
YOURS = {
    "LLM_API_KEY": "`ollama`: Ollama checks none, and OpenHands wants one",
    "SANDBOX_STARTUP_GRACE_SECONDS": "`180`, on V1 images",
}


def check_name(name: Any) -> None:
    """Raises ValueError for what is no variable, and for one whose value is fleethands' own."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("expected a variable's name: letters, digits and `_`, no digit first")
    if name in ELSEWHERE:
        raise ValueError(f"use the setting {ELSEWHERE[name]}: fleethands sets this variable from it")
    if name in MADE:
        raise ValueError("expected no such variable: each host makes this key itself, `fleethands tunnel` shows it")
    if re.fullmatch(r"OH_CANVAS_SAFE_\w*PORT", name):
        raise ValueError("expected no such variable: fleethands sets it, and closes that port to the outside")
    if name in KEPT:
        raise ValueError("expected no such variable: fleethands sets it to where OpenHands' state is kept")


def check_value(value: Any) -> None:
    """Raises Expected for what no process can be given."""
    if isinstance(value, bool):
        raise Expected(f"text, such as `{str(value).lower()}`")
    if not isinstance(value, str | int):
        raise Expected("text or a whole number")
    text(str(value))
