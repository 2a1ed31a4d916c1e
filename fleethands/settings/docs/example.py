"""An inventory to own, with every key in it: `python -m fleethands.settings.docs.example` is inventory/example.py."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from fleethands.settings.docs.reference import SECTIONS
from fleethands.settings.host import HostSettings
from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import about
from fleethands.settings.values.literal import literal

WIDTH = 110
INDENT = " " * 8
HEAD = '''"""An inventory to start from: one group of hosts, each with what it should be.

fleethands trust inventory/{name}     take over the hosts' keys, once you have compared them
fleethands plan inventory/{name}      what would change
fleethands apply inventory/{name}     change it

Every key stands at its default; take the `# ` off a line and change it. A secret is given as
Secret.env("NAME") or Secret.file("PATH"): add `from fleethands.settings import Secret` above.
"""

gpu = (
    ["gpu-1.example.net", "gpu-2.example.net"],  # names or addresses, as ssh takes them
    {{
        "ssh_user": "root",  # or a user with passwordless sudo
        "ssh_strict_host_key_checking": "yes",
'''
TAIL = """    },
)
"""
STARTED = {"models": ["codellama:7b"]}  # the one key that has no default to live with


def inventory(name: str = "example.py") -> str:
    """
    The whole file, as Python.

    + name: what the file is called
    """
    return HEAD.format(name=name) + "".join(_section(section) for section in SECTIONS) + TAIL


def _section(section: type[Keys]) -> str:
    title = (section.__doc__ or "").rstrip(".")
    bar = "-" * (WIDTH - len(INDENT) - len(title) - 6)
    return f"{INDENT}#\n{INDENT}# -- {title} {bar}\n" + "".join(_key(name) for name in section.model_fields)


def _key(name: str) -> str:
    said = about(HostSettings.model_fields[name])
    lines = [said.meaning, f"why change it: {said.why}"]
    lines += [f"takes {said.form}{f', in {said.unit}' if said.unit else ''}"]
    lines += [f"for example: {literal(said.example)}"]
    lines += [f"by default: {said.derived}"] if said.derived else []
    comments = "".join(f"{INDENT}# {part}\n" for line in lines for part in _wrapped(line))
    if name in STARTED:
        return f'{INDENT}#\n{comments}{INDENT}"{name}": {literal(STARTED[name])},\n'
    return f'{INDENT}#\n{comments}{INDENT}# "{name}": {literal(getattr(HostSettings(), name))},\n'


def _wrapped(line: str) -> Iterator[str]:
    yield from textwrap.wrap(line, WIDTH - len(INDENT) - 2, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    print(inventory(), end="")
