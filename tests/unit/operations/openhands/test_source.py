"""What the flavor `source` builds, by its settings and by what a host has built."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fleethands.facts import upstream
from fleethands.facts.docker import Container, Docker
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.openhands import build_from_source, source_service
from fleethands.settings import HostSettings, SettingsError
from fleethands.settings.generations import SOURCE, SOURCE_V0
from fleethands.settings.openhands import generation_of
from fleethands.settings.values.secret import Secret
from fleethands.tasks import render
from fleethands.text.toml import basic_string
from tests.hosts import bare, declared

GUIDE = "https://github.com/All-Hands-AI/OpenHands"
NEW = "https://github.com/OpenHands/OpenHands"
COMMIT, LATER = "1" * 40, "2" * 40


def built_here(**data: Any) -> HostSettings:
    return declared(openhands_flavor="source", **data)


@pytest.mark.parametrize(
    ("data", "generation", "ref", "port"),
    [
        ({}, SOURCE, "1.16.0", 8000),
        ({"openhands_repo": GUIDE}, SOURCE_V0, "0.62.0", 3000),
        ({"openhands_repo": GUIDE, "openhands_ref": "0.61.0"}, SOURCE_V0, "0.61.0", 3000),
        ({"openhands_repo": NEW}, SOURCE, "1.16.0", 8000),
        ({"openhands_repo": NEW, "openhands_ref": "main"}, SOURCE, "main", 8000),
        ({"openhands_repo": NEW, "openhands_ref": "main", "openhands_generation": "v0"}, SOURCE_V0, "main", 3000),
    ],
)
def test_repository_and_ref_say_which_openhands_it_is(
    data: dict[str, Any], generation: object, ref: str, port: int
) -> None:
    settings = built_here(**data)

    assert generation_of(settings) is generation
    assert (settings.openhands_source.ref, settings.openhands_port) == (ref, port)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"openhands_repo": "ext::sh -c id"}, "expected an address such as `https://github.com/OpenHands/OpenHands`"),
        ({"openhands_repo": "--upload-pack=id"}, "expected an address such as"),
        ({"openhands_repo": "https://-oProxyCommand=id/x"}, "expected an address with a server's name"),
        ({"openhands_repo": "https://me:hidden@git.example/x"}, "expected an address without user and password"),
        ({"openhands_repo": "https://git.example/a b"}, "expected an address such as"),
        ({"openhands_repo": NEW, "openhands_ref": "--upload-pack=id"}, "expected a tag, a branch or a commit's"),
        ({"openhands_repo": NEW, "openhands_ref": "a..b"}, "expected a tag, a branch or a commit's"),
        ({"openhands_repo": NEW, "openhands_ref": "main:refs/heads/x"}, "expected a tag, a branch or a commit's"),
        ({"openhands_repo": NEW, "openhands_generation": "v1"}, "expected `v0` or `canvas`"),
        (
            {"openhands_generation": "v0"},
            "expected the repository of OpenHands V0, such as `https://github.com/All-Hands-AI/OpenHands`",
        ),
    ],
)
def test_what_git_might_run_or_show_is_refused(data: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        built_here(**data)

    assert problem in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_directory_has_nothing_of_an_address_in_its_name() -> None:
    settings = built_here(openhands_repo="https://git.example/../../%s;$(id)/x")

    assert settings.openhands_root.rpartition("/")[2].replace("git-", "").isalnum()


def on_a_host(settings: HostSettings, recipe: str, answer: str = "") -> Unchanged | Change:
    marker = File("file", content=f"{recipe} {COMMIT}\n".encode())
    seen = bare(settings).with_file(str(settings.openhands_built), marker)
    if answer:
        encoded = base64.b64encode(answer.encode()).decode()
        line = f"commit {settings.openhands_built} x86_64 0 {encoded}"
        seen = seen.replace(upstream=upstream.parse_upstream(settings, [line]))
    decision = build_from_source.build.decide(settings, seen)
    assert isinstance(decision, Unchanged | Change)
    return decision


def test_a_branch_that_moved_is_built_anew_where_its_repository_is_asked() -> None:
    settings = built_here(openhands_repo=NEW, openhands_ref="main", openhands_pull="always")
    recipe = build_from_source.recipe_digest(settings)

    assert isinstance(on_a_host(settings, recipe), Unchanged)
    assert isinstance(on_a_host(settings, recipe, f"{COMMIT}\trefs/heads/main\n"), Unchanged)
    moved = on_a_host(settings, recipe, f"{LATER}\trefs/heads/main\n")
    assert isinstance(moved, Change)
    assert (moved.before, moved.after, moved.why) == (
        "commit 111111111111",
        "built, commit 222222222222",
        "main has moved",
    )
    peeled = f"{LATER}\trefs/tags/main\n{COMMIT}\trefs/tags/main^{{}}\n"
    assert isinstance(on_a_host(settings, recipe, peeled), Unchanged)


def test_what_was_built_in_another_way_is_built_anew() -> None:
    settings = built_here()

    assert isinstance(on_a_host(settings, build_from_source.recipe_digest(settings)), Unchanged)
    assert isinstance(on_a_host(settings, "another"), Change)


LOCKS = Path(build_from_source.__file__).parent / "locks"
SCRIPTS = Path(build_from_source.__file__).parents[1]
TOOLS = "npm|npx|node|uv|uvx|pip|poetry|make|git|python3"
BEFORE = r"^\s*|[|&;(] *|\b(?:then|do|env|as_user|timeout \d+) |run ['\"][^'\"]+['\"] "
FOREIGN = re.compile(f"(?:{BEFORE})(?:{TOOLS}) ", re.MULTILINE)


@pytest.mark.parametrize("name", ["tools.txt", "poetry.txt"])
def test_python_packages_are_locked_by_hashes_and_come_from_no_named_server(name: str) -> None:
    text = (LOCKS / name).read_text()
    packages = [each for each in re.split(r"\n(?=\S)", text) if each.strip()]

    assert all("==" in each and "--hash=sha256:" in each for each in packages)
    assert "://" not in text


@pytest.mark.parametrize("ref", build_from_source.NEWEST_DEPENDENCIES)
def test_npm_packages_are_locked_by_hashes_and_come_from_no_named_server(ref: str) -> None:
    text = (LOCKS / f"canvas-{ref}.json").read_text()
    packages = json.loads(text)["packages"]

    assert packages.pop("") == {"dependencies": {"@openhands/agent-canvas": ref}}
    assert packages["node_modules/@openhands/agent-canvas"]["version"] == ref
    # what is bundled comes with another one's archive
    assert all(each.get("inBundle") or each["integrity"].startswith("sha512-") for each in packages.values())
    assert "://" not in text


def test_a_release_without_a_lock_is_said_to_have_none() -> None:
    def notes(**data: Any) -> tuple[str, ...]:
        settings = built_here(**data)
        decision = build_from_source.build.decide(settings, bare(settings))
        assert isinstance(decision, Change)
        return decision.notes

    assert notes() == ()
    assert notes(openhands_repo=NEW) == ()
    (note,) = notes(openhands_ref="1.17.0")
    assert note.startswith("the npm dependencies of Agent Canvas 1.17.0 are not pinned")


def test_only_the_script_of_the_user_that_builds_runs_what_is_downloaded() -> None:
    scripts = {path: path.read_text() for path in SCRIPTS.rglob("*.sh")}
    running = {path.parent.name for path, text in scripts.items() if FOREIGN.search(text)}

    assert running == {"source_builder"}


def test_the_way_to_packages_reaches_the_build_and_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY", "http://me:secret@proxy.example:3128")
    variables = {"HTTPS_PROXY": Secret.env("PROXY"), "UV_INDEX_URL": "https://pypi.example/", "GITHUB_TOKEN": "t"}
    settings = built_here(openhands_env=variables, ollama_env={"no_proxy": "localhost"})

    decision = build_from_source.build.decide(settings, bare(settings))

    names = {line.partition("=")[0] for line in decision.script.values["variables"].splitlines()}
    assert names == {"HTTPS_PROXY", "UV_INDEX_URL", "no_proxy"}
    assert decision.script.exports == {}
    assert "secret" not in decision.script.body
    assert "secret" not in str(decision.script.command)


def test_a_service_takes_the_place_and_the_directories_of_a_container() -> None:
    """The prediction needs no further change for any earlier owner, and a foreign directory is found."""
    settings = built_here(openhands_adopt=True)
    workspace = str(settings.openhands_workspace)
    theirs = Container("c1", "running", "sha256:1", {}, "")
    seen = bare(settings).replace(docker=Docker(True, "26", theirs))
    seen = seen.with_file(workspace, File("directory", "0755", 10001, 10001, "UNKNOWN:UNKNOWN"))
    arguments = {"text": "# Written by fleethands.\n", "environment": "", "config": "", "shown": frozenset()}

    change = source_service.serve.decide(settings, seen, **arguments)

    assert (change.script.values["adopt"], change.script.values["own"].splitlines()[-1]) == ("yes", workspace)
    assert "kept as openhands-app-adopted" in change.consequence
    after = change.predict(seen)
    assert isinstance(source_service.serve.decide(settings, after, **arguments), Unchanged)
    taken = after.with_file(workspace, File("directory", "0755", 0, 0, "root:root"))
    assert (
        source_service.serve.decide(settings, taken, **arguments).before
        == f"running, but {workspace} does not belong to openhands"
    )


@pytest.mark.parametrize("value", ['a"b', "\\", "\x7f", "\x00\n\t", "ü 🦙", "#{[%"])
def test_config_toml_is_read_back(value: str) -> None:
    assert tomllib.loads(f"x = {basic_string(value)}") == {"x": value}
    text = render("config.toml.j2", workspace=value, state="/s", model="openai/m", base_url="http://u/v1", api_key="k")
    read = tomllib.loads(text)
    assert (read["core"]["workspace_base"], read["core"]["runtime"]) == (value, "cli")
    assert read["llm"] == {"model": "openai/m", "base_url": "http://u/v1", "api_key": "k"}
