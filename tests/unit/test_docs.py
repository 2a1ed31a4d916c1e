"""What the documents say is what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from fleethands import paths
from fleethands.cli.interface import cli
from fleethands.cli.reference import page as commands_page
from fleethands.operations.models import modelfiles
from fleethands.settings import HostSettings, read_fleet
from fleethands.settings.docs.example import inventory
from fleethands.settings.docs.reference import page
from fleethands.settings.schema import ollama_env
from fleethands.settings.schema.describe import describe
from fleethands.settings.schema.models import Model
from fleethands.settings.values import modelfile
from tests.helpers.checkout import ROOT
from tests.helpers.pages import pages
from tests.hosts import bare
from tests.lab import attacks
from tests.lab.attacks.__main__ import page as attacks_page
from tests.lab.zoo import STATES
from tests.lab.zoo.__main__ import page as hosts_page

LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(#[^)\s]+)?\)")
MANAGED = re.compile(r"/(opt|run|usr/local|etc/systemd|(etc|var/lib)/fleethands)/")
PATH = re.compile(r"\b(?<![./-])((?:fleethands|tasks|templates|tests|bench)/[\w/.-]*\w)")
KEYS = list(HostSettings.model_fields)


def test_the_reference_of_settings_is_current() -> None:
    assert (ROOT / "docs/settings.md").read_text() == page(), "run `make docs`"


def test_the_reference_of_commands_is_current() -> None:
    assert (ROOT / "docs/cli.md").read_text() == commands_page(), "run `make docs`"


def test_the_table_of_attacks_is_current() -> None:
    assert (ROOT / "docs/attacks.md").read_text() == attacks_page(), "run `make docs`"


def test_the_table_of_hosts_is_current() -> None:
    assert (ROOT / "docs/hosts.md").read_text() == hosts_page(), "run `make docs`"


def test_every_state_of_a_host_has_a_name_of_its_own() -> None:
    names = [state.name for state in STATES]

    assert sorted({*names}) == sorted(names)
    assert sum(state.sample for state in STATES) <= 9, "`make test` has no time for more"


def test_every_finding_has_an_attack_or_is_said_to_have_none() -> None:
    """Each promise of security.md names a test, and each test that it names exists."""
    text = (ROOT / "docs/security.md").read_text()
    findings = {f"F{number}" for number in range(1, 15)} | {f"L{number}" for number in range(1, 13)}
    tried = {finding for each in attacks.ATTACKS for finding in each.finding.split()}
    elsewhere = set(re.findall(r"\(([FL]\d+)\)", text))

    assert findings - tried - elsewhere == set()
    assert elsewhere & tried == set()


def test_every_test_that_the_security_page_names_is_there() -> None:
    text = (ROOT / "docs/security.md").read_text()
    names = {each.name for each in attacks.ATTACKS}
    named = set(re.findall(r"`attack ([a-z0-9-]+)`", text))
    files = re.findall(r"`(tests/[a-z_/]+\.py)`", text)

    assert named - names == set()
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert len({each.name for each in attacks.ATTACKS}) == len(attacks.ATTACKS)


def test_the_example_inventory_is_current() -> None:
    assert (ROOT / "inventory/example.py").read_text() == inventory(), "run `make docs`"


@pytest.mark.parametrize("field", [*HostSettings.model_fields.values(), *Model.model_fields.values()])
def test_every_description_is_made_of_sentences(field: FieldInfo) -> None:
    """The generated page and the inventory put a period, "expected" or "Change it" around the parts."""
    said = describe(field)

    assert re.fullmatch(r"[A-Z][^;]*\.", said.summary)
    assert max(len(sentence.split()) for sentence in re.split(r"[.:] ", said.summary)) <= 25
    for part in (said.accepts, said.change):
        assert part == part.strip().rstrip(".")
        assert not part[0].isupper() or part.startswith(("IP:PORT", "True"))


@pytest.mark.parametrize("key", KEYS)
def test_every_example_is_right_and_is_not_the_default(key: str) -> None:
    example = describe(HostSettings.model_fields[key]).example

    assert getattr(HostSettings(**{key: example}), key) != getattr(HostSettings(), key)


@pytest.mark.parametrize("key", sorted(Model.model_fields.keys() - {"modelfile"}))
def test_every_example_of_a_models_key_is_right(key: str) -> None:
    example = describe(Model.model_fields[key]).example
    data = {"models": [{"name": "m", key: example}]}

    (model,) = read_fleet({"a": data})["a"].models

    assert str(getattr(model, key)) == str(example)


def test_the_example_of_a_modelfile_is_one_that_a_model_is_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = describe(Model.model_fields["modelfile"]).example
    monkeypatch.chdir(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("FROM codellama:7b\nPARAMETER num_ctx 32768\n")

    settings = read_fleet({"a": {"models": [{"name": "mine", "modelfile": path}]}})["a"]
    (change,) = modelfiles.build.decide(settings, bare(settings), modelfile.load_modelfiles(settings))

    assert change.after == "made from codellama:7b"
    assert change.script.values["text"] == "FROM codellama:7b\nPARAMETER num_ctx 32768\n"


@pytest.mark.parametrize("name", ollama_env.VARIABLES)
def test_every_variable_says_what_it_does(name: str) -> None:
    variable = ollama_env.VARIABLES[name]

    assert f"| `{name}` | {variable.kind} |" in page()
    assert f"| {variable.meaning} |" in page()


def test_the_example_inventories_are_right() -> None:
    for name in ("example", "local"):
        groups = runpy.run_path(str(ROOT / f"inventory/{name}.py"))
        hosts = groups["gpu"][0] if name == "example" else [host for host, _ in groups["local"]]
        data = groups["gpu"][1] if name == "example" else groups["local"][0][1]
        assert read_fleet(dict.fromkeys(hosts, data))


def test_every_link_between_pages_leads_somewhere() -> None:
    links = [(page, *link) for page in pages() for link in LINK.findall(page.read_text())]
    broken = [
        f"{page.relative_to(ROOT)}: {place}{anchor}"
        for page, place, anchor in links
        if not is_there(page.parent / place if place else page, anchor)
    ]

    assert len(links) > 50
    assert broken == []


def test_every_file_that_a_page_names_is_there() -> None:
    found = [(page, name) for page in pages() for name in PATH.findall(page.read_text())]
    named = [(page, name) for page, name in found if not {"NOUN", "test_x"} & set(re.split(r"[/.]", name))]

    assert len(named) > 50
    assert [f"{page.relative_to(ROOT)}: {name}" for page, name in named if not (ROOT / name).exists()] == []


def test_every_path_on_a_host_is_documented() -> None:
    page = (ROOT / "docs/files.md").read_text()
    managed = [path for path in vars(paths).values() if isinstance(path, str) and MANAGED.match(path)]

    assert len(managed) > 20
    assert [path for path in managed if not path.endswith("/") and Path(path).name not in page] == []


def is_there(target: Path, anchor: str) -> bool:
    """Whether a link leads to a file, and to a heading in it, as GitHub spells headings in addresses."""
    if not target.exists() or not anchor:
        return target.exists()
    headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
    return anchor[1:] in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    assert [name for name in cli.commands if f"| `fleethands {name} " not in text] == []


def uncommented(text: str, directory: Path) -> dict[str, Any]:
    """Host data of an example inventory, with every setting that is commented out."""
    whole = re.sub(r'^        # ("[a-z0-9_]+": .*,)$', r"        \1", text, flags=re.MULTILINE)
    (directory / "whole.py").write_text(whole)
    data: dict[str, Any] = runpy.run_path(str(directory / "whole.py"))["gpu"][1]
    return data


def test_the_short_example_has_five_settings_at_their_defaults(tmp_path: Path) -> None:
    data = uncommented(inventory(), tmp_path)

    assert len([key for key in data if not key.startswith("ssh_")]) == 5
    assert read_fleet({"a": data}) == read_fleet({"a": {"models": ["codellama:7b"]}})


def test_every_key_of_the_long_example_stands_there_at_its_default(tmp_path: Path) -> None:
    data = uncommented(inventory(all_settings=True), tmp_path)

    assert set(KEYS) == {key for key in data if not key.startswith("ssh_")}
    assert read_fleet({"a": data}) == read_fleet({"a": {"models": ["codellama:7b"]}})
