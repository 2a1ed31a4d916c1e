"""The reference of all settings, written from the settings themselves: `python -m fleethands.settings.reference`."""

from __future__ import annotations

from typing import Any

from fleethands.settings.host import HostSettings

HEAD = """# Settings

Flat keys of host data: in an inventory, in `group_data`, or as `--data KEY=VALUE`. A secret is given as
`Secret.env("NAME")` or `Secret.file("PATH")`, read on the controller. Written by `make docs`.

| key | default | meaning |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(_row(key, field) for key, field in HostSettings.model_fields.items())


def _row(key: str, field: Any) -> str:
    default = "" if field.default is None else f"`{_shown(field.default)}`"
    example = f", as `{field.examples[0]}`" if field.examples else ""
    return f"| `{key}` | {default} | {field.description}{example} |\n"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return str(list(value))
    return str(value)


if __name__ == "__main__":
    print(page(), end="")
