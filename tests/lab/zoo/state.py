"""One state in which hosts are found, as tests/lab/hosts.yaml has it."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

FILE = Path(__file__).parents[1] / "hosts.yaml"
RECIPES = Path(__file__).with_name("recipes")
FIXTURES = Path(__file__).parents[2] / "fixtures"
PUBLIC = r"[\w.-]+/[\w.-]+#\d+|https://\S+"  # a thread of a repository, or a page
Source = Annotated[str, Field(pattern=f"^({PUBLIC})$")]


class Heading(StrEnum):
    """What a state is about, in the order of docs/hosts.md."""

    DOCKER = "Docker"
    PACKAGES = "Packages"
    OLLAMA = "Ollama that is there already"
    STORE = "Ollama's account and models"
    OPENHANDS = "OpenHands"
    GPU = "GPUs"
    DISK = "Disks and mounts"
    NETWORK = "Network, proxies and firewalls"
    SYSTEM = "systemd, clock and kernel"
    ACCOUNTS = "Logins and sudo"
    SSH = "SSH on your machine"
    INVENTORIES = "Inventories"


class State(BaseModel):
    """
    A state, what brings a lab host into it, and what must happen.

    + state: one plain sentence; the test's name comes from it
    + source: public reports of it
    + base: the host's state before: `clean`, `bookworm` (Debian 12), `no-docker` (with access to Debian's packages),
      `quiet` (applied and proven without OpenHands), `converged` (with OpenHands)
    + recipes: files of tests/lab/zoo/recipes that run first; recipe: POSIX sh that root runs on the host
    + recorded: files of tests/fixtures by their public source; the host has them in /run/recorded
    + controller: files on the controller, by their path in an empty directory; its `home` is the user's. inventory: the
      one that is typed, or the lab's own; hosts: for `--hosts`
    + data: host data on top of the lab's and of `openhands_flavor: "off"`
    + must: `proven` by an apply, or `refused` before anything changes
    + words: parts of the plan's reason; for a proven state, of its changes and notes
    + ways: groups of hints, each hint by its beginning; each group is typed on its own host. Default: one group of all
      hints
    + untyped: hints that no test can type, by their beginning, and why
    + then: after the hints the plan gets `further`, or an apply is `proven`
    + ours: paths, units (`unit NAME`), packages and containers that the apply may change or remove
    + check: POSIX sh that must succeed on the proven host
    + sample: it runs in `make test`
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: str
    heading: Heading
    source: list[Source] = Field(min_length=1)
    base: Literal["clean", "bookworm", "no-docker", "quiet", "converged"] = "clean"
    recipes: list[str] = []
    recipe: str = ""
    recorded: dict[str, Source] = {}
    controller: dict[str, str] = {}
    inventory: str = ""
    hosts: str = ""
    data: dict[str, Any] = {}
    must: Literal["proven", "refused"]
    words: list[str] = []
    ways: list[list[str]] = []
    untyped: dict[str, str] = {}
    then: Literal["further", "proven"] = "further"
    ours: list[str] = []
    check: str = ""
    sample: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> State:
        if self.must == "refused" and not self.words:
            raise ValueError(f"{self.state}: a refusal needs words")
        if self.must == "proven" and (self.ways or self.untyped):
            raise ValueError(f"{self.state}: what is proven has no hints")
        files = [RECIPES / f"{name}.sh" for name in self.recipes] + [FIXTURES / name for name in self.recorded]
        if lost := [str(file) for file in files if not file.is_file()]:
            raise ValueError(f"{self.state}: there is no {', '.join(lost)}")
        return self

    @property
    def name(self) -> str:
        """What its test is called."""
        return re.sub(r"[^a-z0-9]+", "-", self.state.lower()).strip("-")

    @property
    def script(self) -> str:
        """All that root runs on the host."""
        return f"{recipes(*self.recipes)}\n{self.recipe}"


def recipes(*names: str) -> str:
    """Shared pieces as one script."""
    return "\n".join(["set -e", *((RECIPES / f"{name}.sh").read_text() for name in names)])


def read() -> list[State]:
    """All states, in the order of the file. Raises pydantic's ValidationError."""
    return [State(**entry) for entry in yaml.safe_load(FILE.read_text())]
