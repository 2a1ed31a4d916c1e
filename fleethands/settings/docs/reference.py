"""Writes docs/reference/settings.md: `python -m fleethands.settings.docs.reference`."""

from __future__ import annotations

from pydantic.fields import FieldInfo

from fleethands.settings.host import HostSettings, Model
from fleethands.settings.schema import Keys, ollama_env, ollama_env_releases, openhands_env
from fleethands.settings.schema.describe import about
from fleethands.settings.values.literal import literal

HEAD = """# Settings

Flat keys of host data: in an inventory, in `group_data`, or as `--data KEY=VALUE`, where VALUE is JSON or a plain word.
A secret is given as `Secret.env("NAME")` or `Secret.file("PATH")` (`from fleethands.settings import Secret`), read on
the controller and masked wherever it is shown. Every mistake of every host is named before anything connects. An old
name of a setting is an error that shows the line to write instead.
Written by `make docs`.
"""
TABLE = """| key | what it is | takes | default | example | why one would change it |
| --- | --- | --- | --- | --- | --- |
"""
VARIABLES = """
## Variables of Ollama (`ollama_env`)

What Ollama reads, with its own defaults, and which of its releases do, as far as they are listed: up to {newest}. A
variable of Ollama's that is not listed is a note in the plan of a newer release, and refused for any other. What begins
with {libraries} is read by what Ollama is made of, and goes
through as it is; so do {go}. Any other
variable can stand in a drop-in of your own; on the host: `systemctl edit ollama`. Ollama takes any word but Go's own
booleans for true (`off` too), and its default for a number it can't read; such values are refused here. These are
settings of their own:

{elsewhere}

| variable | takes | default | what it does | releases |
| --- | --- | --- | --- | --- |
"""
CONTAINER = """
## Variables of OpenHands' container (`openhands_env`)

Any name but these, which follow from a setting and are refused here:

{elsewhere}

{kept} say where the state is kept, and are refused as well. Of those that fleethands sets too, your own value counts:

{yours}
"""
SECTIONS = [
    each for each in reversed(HostSettings.__mro__) if issubclass(each, Keys) and each not in {Keys, HostSettings}
]


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(_section(section) for section in SECTIONS) + _variables() + _container()


def _section(section: type[Keys]) -> str:
    rows = "".join(_row(name, field) for name, field in section.model_fields.items())
    models = f"\nA model's keys:\n\n{TABLE}{_model_rows()}" if "models" in section.__annotations__ else ""
    return f"\n## {(section.__doc__ or '').rstrip('.')}\n\n{TABLE}{rows}{models}"


def _model_rows() -> str:
    return "".join(_row(name, field) for name, field in Model.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    said = about(field)
    usual = said.derived or ("required" if field.is_required() else f"`{literal(field.get_default())}`")
    unit = f", in {said.unit}" if said.unit else ""
    cells = (f"`{name}`", said.meaning, said.form + unit, usual, f"`{literal(said.example)}`", said.why)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _variables() -> str:
    elsewhere = "\n".join(f"- `{name}`: `{key}`" for name, key in ollama_env.ELSEWHERE.items())
    rows = (
        f"| `{name}` | {each.kind} | {f'`{each.default}`' if each.default else ''} | {each.meaning} "
        f"| {ollama_env_releases.releases(name)} |\n"
        for name, each in ollama_env.VARIABLES.items()
    )
    libraries, go = (", ".join(f"`{each}`" for each in those) for those in (ollama_env.LIBRARIES, ollama_env.OF_GO))
    head = VARIABLES.format(elsewhere=elsewhere, newest=ollama_env_releases.NEWEST, libraries=libraries, go=go)
    return head + "".join(rows)


def _container() -> str:
    elsewhere = "\n".join(f"- `{name}`: set {key}" for name, key in openhands_env.ELSEWHERE.items())
    kept = ", ".join(f"`{name}`" for name in sorted(openhands_env.KEPT))
    yours = "\n".join(f"- `{name}`, else {value}" for name, value in openhands_env.YOURS.items())
    return CONTAINER.format(elsewhere=elsewhere, kept=kept, yours=yours)


if __name__ == "__main__":
    print(page(), end="")
