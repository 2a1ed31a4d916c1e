"""Only a user without privileges runs downloads and builds, and none of their processes is left."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import cache, fleet, observe
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.flavors import TOOLS
from tests.lab.host import Host
from tests.lab.internet import release

FILES = Path(__file__).with_name("programs")
MIRROR, VERSION = "/srv/mirror", "0.24.2"
REPOSITORY = "/srv/attack"
OWNED = "/root/owned"
LEFT_BEHIND = "sleep 86399"  # of the programs in FILES
# what the test's own archives are packed from; an Ollama that says the right version
TREE = f"""set -e; rm -rf /srv/tree; mkdir -p /srv/tree/lib/ollama {MIRROR}/v{VERSION}; cd /srv/tree
cp -r /opt/ollama/current/bin .; LC_ALL=C sed -i s/0[.]24[.]0/{VERSION}/g bin/ollama
"""
PACK = f"""
tar -cf - bin lib | zstd -q -1 -f -o {MIRROR}/v{VERSION}/{release.archive_name()}; cd {MIRROR}/v{VERSION}
sha256sum ./{release.archive_name()} >sha256sum.txt; rm -rf /srv/tree
"""


def installs(host: Host, doing: str) -> fleet.Run:
    """An apply that takes its Ollama from a mirror; its archive has a right checksum, and this was done to its tree."""
    host.run(TREE + doing + PACK, timeout=120)
    return fleet.apply("lab-1", openhands_flavor="off", ollama_url=f"file://{MIRROR}", ollama_version=VERSION)


def refused(run: fleet.Run, host: Host, reason: str) -> None:
    """The run ends with this reason; the Ollama of before serves, and nothing of the other one is there."""
    assert run.code == 1
    assert f"error: {reason}" in run.said, run.said
    assert host.run("ls -A /opt/ollama").stdout.split() == ["0.24.0", "current"]
    assert host.run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.0"}'


def nothing_owned(host: Host) -> None:
    """Nothing of it ran as root, and no process of it is left."""
    assert host.run(f"ls -d {OWNED}* 2>/dev/null", check=False).stdout == ""
    assert host.run(f"pgrep -af '{LEFT_BEHIND}'", check=False).stdout == ""


def a_binary_asks_who_runs_it(field: Field) -> None:
    program = (FILES / "ollama").read_text()
    run = installs(field.host, f"printf %s {shlex.quote(program)} >bin/ollama")

    refused(run, field.host, f"the binary in {release.archive_name()} is not Ollama {VERSION}: it says `I am ")
    assert "`I am 0`" not in run.said
    nothing_owned(field.host)


def an_archive_brings_setuid(field: Field) -> None:
    run = installs(field.host, "cp /bin/sh lib/ollama/shell; chmod 4755 lib/ollama/shell; chmod 6777 lib/ollama")

    assert run.code == 0, run.said
    assert field.host.run("curl -fsS localhost:11434/api/version").stdout == f'{{"version":"{VERSION}"}}'
    assert field.host.run("find /opt/ollama -perm /7000 -o -perm /0022 ! -type l").stdout == ""


def an_archive_leads_out(field: Field) -> None:
    run = installs(field.host, "ln -s ../../../../../etc lib/ollama/etc; mkfifo lib/ollama/pipe")

    refused(run, field.host, f"{release.archive_name()} holds more than files")


def an_archive_makes_a_device(field: Field) -> None:
    refused(installs(field.host, "mknod -m 666 lib/ollama/memory c 1 1"), field.host, "cannot unpack")


def an_archive_fills_the_disk(field: Field) -> None:
    refused(installs(field.host, "truncate -s 1G lib/ollama/zeros"), field.host, "cannot unpack")
    assert observe.leftovers(field.host) == []


@contextmanager
def ready_to_build(field: Field) -> Iterator[Host]:
    """lab-1 with the packages that a build needs, and a way out; made once for all labs of this machine."""
    needed = "git python3-venv tmux procps"
    state = f"build-{cache.key(field.lab.site.base(field.host.suite).name, needed)}"
    if not field.lab.has_state(state):
        with field.host.outward():
            field.host.run(f"apt-get -q update && apt-get -q -y install --no-install-recommends {needed}", timeout=300)
        field.host.save(state, shared=True)
    field.host.restore(state)
    with field.host.outward():
        yield field.host


def builds(host: Host, **data: Any) -> tuple[int, dict[str, Any]]:
    """An apply of OpenHands from this repository: what upstream's checkout looks like, with other programs in it."""
    files = {path.name: path.read_text() for path in sorted((FILES / "repository").iterdir())}
    write = "; ".join(f"printf %s {shlex.quote(text)} >{name}" for name, text in files.items())
    commit = "git -c user.name=lab -c user.email=lab@lab commit -qm attack"
    host.run(
        f"set -e; mkdir {REPOSITORY}; cd {REPOSITORY}; {write}; mkdir bin; mv agent-canvas.mjs bin; git init -q -b main"
        f"; git add -A; {commit}; id openhands 2>/dev/null || useradd -r openhands; chown -R openhands: ."
    )
    source = {"openhands_repo": f"file://{REPOSITORY}", "openhands_ref": "main", "openhands_generation": "canvas"}
    return fleet.fleethands("apply", timeout=400, openhands_flavor="source", **source, **TOOLS, **data)


def a_checkout_is_code(field: Field) -> None:
    with ready_to_build(field) as host:
        code, told = builds(host)

        assert code == 1, told
        assert "does not start" in told["hosts"]["lab-1"]["reason"], fleet.trouble(told)
        nothing_owned(host)
        assert host.run("systemctl list-units --all --plain --no-legend 'fleethands-[br]*'").stdout == ""
        owners = host.run("find /opt/openhands-source ! -user root ! -path '*/cache*' 2>/dev/null", check=False).stdout
        assert owners == ""
        assert host.run("find /opt/openhands-source -perm /7000 2>/dev/null", check=False).stdout == ""


def a_registry_lies(field: Field) -> None:
    lock = next((fleet.ROOT / "fleethands/operations/openhands/locks").glob("canvas-*.json")).read_text()
    registry = (FILES / "registry.py").read_text()
    npm = {"npm_config_registry": "http://127.0.0.1:4873/"}
    with ready_to_build(field) as host:
        host.run("cat >/srv/lock.json", stdin=lock)
        host.run(
            "cat >/srv/registry.py; setsid python3 /srv/registry.py /srv/lock.json /srv/asked >/dev/null 2>&1 &",
            stdin=registry,
        )
        code, told = fleet.fleethands("apply", timeout=400, openhands_flavor="source", openhands_env=npm, **TOOLS)

        assert code == 1, told
        reason = told["hosts"]["lab-1"]["reason"]
        assert "npm ci of @openhands/agent-canvas@1.16.0 failed" in reason, fleet.trouble(told)
        assert "EINTEGRITY" in fleet.trouble(told)
        assert "OWNED" not in host.run("journalctl -b -o cat").stdout
        asked = set(host.run("sort -u /srv/asked").stdout.split())
        assert len(asked) == 1
        assert "0" not in asked


ATTACKS = (
    Attack(
        name="binary-asks-who-runs-it",
        position=Position.MIRROR,
        tries="delivers an Ollama, with its checksum, that writes to root's home, leaves a process and prints its user",
        holds="it runs as a user without privileges and network, its process is stopped, and the run refuses it",
        carry_out=a_binary_asks_who_runs_it,
        finding="L5",
    ),
    Attack(
        name="setuid-in-archive",
        position=Position.MIRROR,
        tries="puts a setuid shell of root's into an archive, and a directory that every account may write",
        holds="the unpacked files have no setuid bit, and only root may write them",
        carry_out=an_archive_brings_setuid,
        finding="L5",
        slow=True,
    ),
    Attack(
        name="archive-leads-out",
        position=Position.MIRROR,
        tries="puts a pipe into an archive, and a link out of its tree",
        holds="the run refuses the archive",
        carry_out=an_archive_leads_out,
    ),
    Attack(
        name="device-in-archive",
        position=Position.MIRROR,
        tries="puts a device that every account may write into an archive",
        holds="unpacking creates no device, and the run refuses the archive",
        carry_out=an_archive_makes_a_device,
    ),
    Attack(
        name="archive-fills-the-disk",
        position=Position.MIRROR,
        tries="delivers a small archive that unpacks to a thousand times its size",
        holds="unpacking stops, and nothing of it stays on the disk",
        carry_out=an_archive_fills_the_disk,
    ),
    Attack(
        name="checkout-is-code",
        position=Position.REPOSITORY,
        tries="makes `npm run build` turn package.json into a program, leave processes and create a setuid file",
        holds="root runs none of it, no process of the build is left, and the build belongs to root",
        carry_out=a_checkout_is_code,
        finding="F2",
        state="clean",
    ),
    Attack(
        name="npm-registry-lies",
        position=Position.REGISTRY,
        tries="as npm's registry, delivers other archives than upstream's, with its own install scripts",
        holds="npm refuses them by their hashes, runs none of them, and never runs as root",
        carry_out=a_registry_lies,
        finding="L6",
        state="clean",
        slow=True,
    ),
)
