"""The inventory of `fleethands init`: `python -m fleethands.settings.docs.example` prints inventory/example.py."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from fleethands.settings.docs.reference import SECTIONS
from fleethands.settings.host import HostSettings
from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import describe
from fleethands.settings.values.literal import literal

WIDTH = 110
INDENT = " " * 8
HEAD = '''"""The hosts of a fleet, and the settings of each of them.

fleethands trust {name}     compare the hosts' SSH keys and accept them, once
fleethands plan {name}      show what would change
fleethands apply {name}     change it

{more}
"""

gpu = (
    ["gpu-1.example.net"],  # your hosts: names or addresses that `ssh` accepts
    {{
        "ssh_user": "root",  # or a user with passwordless sudo
        "ssh_strict_host_key_checking": "yes",
'''
ALL = """These are all settings, with their defaults. To change one, remove `# ` from its line.

Give a secret as Secret.env("NAME"), Secret.file("PATH") or Secret.command("COMMAND"), and add
`from fleethands.settings import Secret` above."""
FEW = """`models` needs a value. The other settings have defaults: to change one, remove `# ` from its line.
`fleethands init DIR --all-settings` writes an inventory with all settings and their explanations."""
TAIL = """    },
)
"""
FIRST = ("models", "gpu", "ollama_context_length", "openhands_flavor", "allow_from")
REQUIRED = {"models": ["codellama:7b"]}  # the one setting without a usable default


def inventory(path: str = "inventory/example.py", *, all_settings: bool = False) -> str:
    """
    The text of an inventory, as Python.

    + path: of the file, for the commands in its head
    + all_settings: every setting with its description, instead of the five that matter first
    """
    head = HEAD.format(name=path, more=ALL if all_settings else FEW)
    if all_settings:
        return head + "".join(_section(section) for section in SECTIONS) + TAIL
    return head + "".join(_short(name) for name in FIRST) + TAIL


def _section(section: type[Keys]) -> str:
    title = (section.__doc__ or "").rstrip(".")
    bar = "-" * (WIDTH - len(INDENT) - len(title) - 6)
    return f"{INDENT}#\n{INDENT}# -- {title} {bar}\n" + "".join(_long(name) for name in section.model_fields)


def _short(name: str) -> str:
    said = describe(HostSettings.model_fields[name])
    return _commented(name, [said.summary, f"Example: {literal(said.example)}"])


def _long(name: str) -> str:
    said = describe(HostSettings.model_fields[name])
    lines = [said.summary, f"Change it {said.change}."]
    lines += [f"Accepts {said.accepts}{f', in {said.unit}' if said.unit else ''}."]
    lines += [f"Default: {said.default}."] if said.default else []
    lines += [f"Example: {literal(said.example)}"]
    return _commented(name, lines)


def _commented(name: str, lines: list[str]) -> str:
    comments = "".join(f"{INDENT}# {part}\n" for line in lines for part in _wrapped(line))
    if name in REQUIRED:
        return f'{INDENT}#\n{comments}{INDENT}"{name}": {literal(REQUIRED[name])},\n'
    return f'{INDENT}#\n{comments}{INDENT}# "{name}": {literal(getattr(HostSettings(), name))},\n'


def _wrapped(line: str) -> Iterator[str]:
    yield from textwrap.wrap(line, WIDTH - len(INDENT) - 2, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    print(inventory(), end="")
