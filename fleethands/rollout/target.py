"""From a target's words to pyinfra's inventory; what is wrong with them, in one line."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyinfra_cli.inventory import make_inventory


class NoHosts(LookupError):
    """A target or a pattern names no host; `hints` say which there are."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.hints = hints


class WrongInventory(ValueError):
    """An inventory that can't be read, with the place; `hints` say what to do."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.hints = hints


def inventory(target: str, data: Mapping[str, Any], project: Path) -> Any:
    """pyinfra's inventory of a target, with data on top. Raises WrongInventory."""
    try:
        return make_inventory(target, override_data=dict(data), cwd=str(project))
    except SystemExit as error:  # an inventory may refuse in its own words
        raise WrongInventory(*_own_words(str(error.code))) from None
    except Exception as error:  # it is somebody's program
        cause = error.__cause__ or error.__context__ or error
        place = next((f", line {each.lineno}" for each in reversed(_frames(cause)) if each.filename == target), "")
        what = f"{target}{place}: {type(cause).__name__}: {cause}"
        raise WrongInventory(what, f"correct `{target}`, then run again") from None


def _own_words(text: str) -> list[str]:
    message, *hints = text.strip().split("\n\nhint: ")
    return [message.removeprefix("error: "), *hints]


def _frames(error: BaseException) -> list[Any]:
    if isinstance(error, SyntaxError):
        return [error]
    return list(traceback.extract_tb(error.__traceback__))


def reach_by_ssh(host: Any) -> None:
    """Fill in what pyinfra leaves open: `user@address:port` as a name, and strict host keys (it would take any)."""
    known = host.data.dict()
    user, _, address = host.name.rpartition("@")
    if user and "ssh_hostname" not in known:
        address, _, port = address.partition(":")
        host.data.ssh_user, host.data.ssh_hostname = user, address
        if port:
            host.data.ssh_port = int(port)
    if "ssh_strict_host_key_checking" not in known:
        host.data.ssh_strict_host_key_checking = "yes"


def no_hosts(target: str, hosts: str, exclude: str, inventory: Any) -> NoHosts:
    """That none is left, and which there are."""
    names = sorted(host.name for host in inventory)
    if not names:
        return NoHosts(f"`{target}` names no host")
    near = difflib.get_close_matches(hosts, names, 3, cutoff=0.4) or names[:3]
    wanted = f"matches `{hosts}`" + (f" and not `{exclude}`" if exclude else "")
    return NoHosts(
        f"`{target}` names no host that {wanted}",
        f"its hosts: {', '.join(near)}{' …' if len(names) > len(near) else ''}",
    )
