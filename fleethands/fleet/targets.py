"""Which inventory a command is for: the one that was typed, or the only one in inventory/."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from fleethands.errors import UsageError
from fleethands.fleet.ansible.kind import ENDINGS, PREFIX

FILES = (".py", *ENDINGS)
EXAMPLES = {"example.py", "local.py"}
MOST_NEIGHBOURS = 200
HOST = "or a host such as `root@box`"


def list_inventories() -> list[str]:
    """The inventories of this directory, pyinfra's before Ansible's."""
    return [path.as_posix() for ending in FILES for path in sorted(Path("inventory").glob(f"*{ending}"))]


def resolve_target(target: str | None) -> str:
    """The target that was typed, or the only inventory of this directory. Raises UsageError."""
    choices = list_inventories()
    if target is not None:
        if target.endswith(FILES) and not Path(target.removeprefix(PREFIX)).is_file():
            near = difflib.get_close_matches(target, [*choices, *_neighbours(target)], 1)
            hints = [f"nearest is `{name}`" for name in near] or [_name_one(choices)]
            raise UsageError(f"there is no inventory `{target}`", *hints)
        return target
    written = [path for path in choices if Path(path).name not in EXAMPLES]
    own = [path for path in written if path.endswith(".py")] or written  # next to them, a .yml may be anything
    if len(own) == 1:
        return own[0]
    raise _no_target(own, choices)


def _neighbours(target: str) -> list[str]:
    """Files next to the one that was typed, with the same ending."""
    place = Path(target).parent
    return [path.as_posix() for path in sorted(place.glob(f"*{Path(target).suffix}"))[:MOST_NEIGHBOURS]]


def _name_one(paths: Sequence[str]) -> str:
    names = [f"`{path}`" for path in paths]
    return f"name an inventory: {', '.join(names)}, {HOST}" if names else f"name an inventory file, {HOST}"


def _no_target(own: Sequence[str], choices: Sequence[str]) -> UsageError:
    found = "several" if own else "none of your own" if choices else "none"
    return UsageError(f"no inventory is given, and inventory/ contains {found}", _name_one(own or choices))
