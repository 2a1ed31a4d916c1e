"""Writes docs/settings.md: `python -m fleethands.settings.docs.reference`."""

from __future__ import annotations

from pydantic.fields import FieldInfo

from fleethands.settings.host import HostSettings
from fleethands.settings.schema import Keys, ollama_env, ollama_env_releases, openhands_env
from fleethands.settings.schema.describe import describe
from fleethands.settings.schema.models import Model
from fleethands.settings.values.literal import literal

HEAD = """# Settings

Settings are flat keys of host data. Write them in an inventory, in `group_data`, or as `--data KEY=VALUE`, where VALUE
is JSON or a plain word. Give a secret as `Secret.env("NAME")`, `Secret.file("PATH")` or `Secret.command("COMMAND")`
(`from fleethands.settings import Secret`). fleethands reads it on the controller and masks it in all output.
[More about secrets](guides/inventories.md#secrets). `fleethands schema` prints the settings for editors.

All mistakes of all hosts are reported before anything connects. An old name of a setting is an error that shows the
line to write instead. `make docs` writes this page.
"""
TABLE = """| setting | description | accepts | default | example | change it |
| --- | --- | --- | --- | --- | --- |
"""
VARIABLES = """
## Variables of Ollama (`ollama_env`)

The table lists the variables that Ollama reads, with Ollama's own defaults and the releases that read them, up to
{newest}. An unknown `OLLAMA_` variable is a note in the plan of a newer release, and an error for any other. Variables
that begin with {libraries} belong to Ollama's
libraries and are passed on unchanged; so are {go}. Set any
other variable in a drop-in of your own: `systemctl edit ollama` on the host.

Ollama takes every word except Go's booleans for true, `off` included, and takes its default for a number that it cannot
read. fleethands refuses such values. These variables have a setting of their own:

{elsewhere}

| variable | accepts | default | description | releases |
| --- | --- | --- | --- | --- |
"""
CONTAINER = """
## Variables of OpenHands' container (`openhands_env`)

Any name is accepted, except these. They follow from a setting:

{elsewhere}

{kept} are refused too: they say where OpenHands keeps its state. fleethands also sets these variables, but your own
value wins:

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
    said = describe(field)
    usual = said.default or ("required" if field.is_required() else f"`{literal(field.get_default())}`")
    unit = f", in {said.unit}" if said.unit else ""
    cells = (f"`{name}`", said.summary, said.accepts + unit, usual, f"`{literal(said.example)}`", said.change)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _variables() -> str:
    elsewhere = "\n".join(f"- `{name}`: `{key}`" for name, key in ollama_env.SETTINGS.items())
    rows = (
        f"| `{name}` | {each.kind} | {f'`{each.default}`' if each.default else ''} | {each.meaning} "
        f"| {ollama_env_releases.describe_releases(name)} |\n"
        for name, each in ollama_env.VARIABLES.items()
    )
    libraries, go = (
        ", ".join(f"`{each}`" for each in those) for those in (ollama_env.LIBRARY_PREFIXES, ollama_env.GO_VARIABLES)
    )
    head = VARIABLES.format(elsewhere=elsewhere, newest=ollama_env_releases.NEWEST, libraries=libraries, go=go)
    return head + "".join(rows)


def _container() -> str:
    elsewhere = "\n".join(f"- `{name}`: set {key}" for name, key in openhands_env.SETTINGS.items())
    kept = ", ".join(f"`{name}`" for name in sorted(openhands_env.STATE_VARIABLES))
    yours = "\n".join(f"- `{name}`, else {value}" for name, value in openhands_env.OVERRIDABLE.items())
    return CONTAINER.format(elsewhere=elsewhere, kept=kept, yours=yours)


if __name__ == "__main__":
    print(page(), end="")
