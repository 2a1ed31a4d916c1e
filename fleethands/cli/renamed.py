"""Words of the command line that were renamed: an old one is an error that names the new one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

RENAMED = {  # the old command, option or value, in its command → the new one
    "destroy": "uninstall",
    "rollback --to last": "--to current",
    "rollback --to before": "--to previous",
    "verify --blobs": "--checksums",
    "verify --deep": "--conversation",
}


def find_renamed(arguments: Sequence[str]) -> str | None:
    """
    The message for the first old word among the arguments of a command line that can't be read.

    + arguments: without the program
    """
    words = list(_split_values(arguments))
    for old, new in RENAMED.items():
        command, *option = old.split()
        if words[:1] != [command]:
            continue
        if not option:
            return f"no such command `{command}`: it is `{new}` now"
        if any(words[at : at + len(option)] == option for at in range(len(words))):
            return f"no such option `{' '.join(option)}`: it is `{new}` now"
    return None


def _split_values(arguments: Sequence[str]) -> Iterator[str]:
    """`--to=last` as two words."""
    for word in arguments:
        name, equals, value = word.partition("=")
        yield from (name, value) if equals and name.startswith("--") else (word,)
