"""The ways to install fleethands. Each gets a home of its own, and nothing of this checkout."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.internet.toolchain import uv
from tests.lab.project import Done
from tests.lab.shell import run

NETWORK = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "HTTP_", "HTTPS_", "NO_PROXY", "http_", "https_", "no_proxy")


@dataclass(frozen=True)
class Home:
    """Where a tool installs to, and where its user works."""

    root: Path

    @property
    def commands(self) -> Path:
        """The directory of the installed commands."""
        return self.root / "bin"

    def run(self, *words: str | Path, cwd: Path | None = None) -> Done:
        """A command with the network settings of this machine and no other variable."""
        (self.root / "home").mkdir(exist_ok=True)
        place = cwd or self.root
        done = run(*words, cwd=place, env=self._environment(), only_env=True, timeout=550, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def install(self, *words: str | Path) -> None:
        """A command that has to work."""
        done = self.run(*words)
        assert done.code == 0, done.out + done.err

    def _environment(self) -> Mapping[str, str]:
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        network = {name: value for name, value in os.environ.items() if name.startswith(NETWORK)}
        return {
            "PATH": f"{self.commands}:/usr/bin:/bin",
            "HOME": str(self.root / "home"),
            "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": cache,
            "UV_TOOL_DIR": str(self.root / "uv"),
            "UV_TOOL_BIN_DIR": str(self.commands),
            "PIPX_HOME": str(self.root / "pipx"),
            "PIPX_BIN_DIR": str(self.commands),
            **network,
        }


def by_uv(home: Home, python: Path, what: str) -> None:
    home.install(uv(), "tool", "install", "--quiet", "--python", python, what)


def by_pipx(home: Home, python: Path, what: str) -> None:
    home.install(uv(), "tool", "run", "--quiet", "pipx", "install", "--python", python, what)


def by_pip(home: Home, python: Path, what: str) -> None:
    home.install(python, "-m", "venv", home.root / "environment")
    home.install(home.root / "environment/bin/pip", "install", "--quiet", what)
    home.commands.symlink_to(home.root / "environment/bin")


WAYS: dict[str, Callable[[Home, Path, str], None]] = {"uv": by_uv, "pipx": by_pipx, "pip": by_pip}
