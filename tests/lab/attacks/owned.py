"""Attacks by the owner of a directory in which root works: the agent, Ollama's user, another account."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fleethands.operations.core import scripts
from fleethands.operations.ollama.adoption import AdoptModels
from fleethands.operations.openhands.select_model import WriteSettings
from fleethands.operations.openhands.source_service import RunService
from fleethands.operations.removal.removal import RemoveDirectory
from fleethands.operations.system.system import CreateDirectory, CreateUser
from fleethands.script import Script
from fleethands.settings.generations import SOURCE, SOURCE_V0
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.flavors import GUIDE, until
from tests.lab.fleet import fleethands
from tests.lab.host import Host

HOME, WORKSPACE = "/opt/openhands", "/opt/openhands/workspace"
VICTIM = "/root/victim"  # a directory of root's, with a file that only root may read
UNIT = "[Service]\nExecStart=/bin/sleep inf\nUser=openhands\n"


def does(host: Host, script: Script) -> str:
    """What a step of the product says on this host, whether it succeeds or not."""
    done = host.run("sh -s", stdin=script.text, check=False, timeout=120)
    return done.stdout + done.stderr


def account(host: Host) -> None:
    """The agent's user, and its directories as a host has them once OpenHands was there."""
    does(host, CreateUser("openhands", HOME, "", roots_home=True).script)
    for place in (WORKSPACE, SOURCE.home, SOURCE_V0.home):
        does(host, CreateDirectory(place, "openhands:openhands", "0700").script)


def victim(host: Host) -> str:
    """What must not change, in the output of `find`."""
    host.run(f"rm -rf {VICTIM}; mkdir -m 0700 {VICTIM} && cd {VICTIM} && echo precious >secret && chmod 600 secret")
    host.run(f"cd {VICTIM} && for each in $(seq 100); do echo $each >f$each; done")
    return untouched(host)


def untouched(host: Host) -> str:
    places = f"/ /root /etc {VICTIM}"
    return host.run(f"stat -c '%n %U:%G %a' {places}; find {VICTIM} -mindepth 1 -printf '%p %u:%g %m\\n' | sort").stdout


def acts(host: Host, command: str, user: str = "openhands") -> None:
    """The attacker types this."""
    host.run(f"runuser -u {user} -- sh -c {shlex.quote(command)}")


@contextmanager
def keeps_at(host: Host, command: str, user: str = "openhands") -> Iterator[None]:
    """The attacker repeats this in a separate process."""
    words = f"systemd-run --quiet --collect --unit attacker --uid {user} -p PrivateMounts=yes"
    host.run(f"{words} sh -c {shlex.quote(f'while :; do {command}; done')}")
    try:
        yield
    finally:
        host.run("systemctl stop attacker", check=False)


def settings_file_swapped(field: Field) -> None:
    host, place = field.host, SOURCE_V0.directory
    account(host)
    acts(host, f"mkdir -p {place}")
    before = victim(host)
    paths = {"seed_path": SOURCE_V0.seed_path, "settings_path": SOURCE_V0.settings_path}
    choose = WriteSettings("openhands:openhands", **paths, seed="{}\n", settings='{"a": 1}\n').script
    swap = f"cd {place} && for each in .fleethands-*; do ln -sf {VICTIM}/secret $each; done"
    with keeps_at(host, f"{swap} 2>/dev/null"):
        for _ in range(field.rounds):
            does(host, choose)
            assert untouched(host) == before

    acts(host, f"rm -f {place}/.fleethands-*")
    does(host, choose)
    shown = host.run(f"cat {SOURCE_V0.settings_path}; stat -c '%U:%G %a' {SOURCE_V0.settings_path}").stdout
    assert shown == '{"a": 1}\nopenhands:openhands 600\n'


def link_for_the_state_directory(field: Field) -> None:
    host = field.host
    account(host)
    before = victim(host)
    acts(host, f"ln -s / {SOURCE.directory}")

    said = does(host, CreateDirectory(SOURCE.directory, None, "0700").script) + does(host, served(host))

    assert untouched(host) == before
    assert f"error: openhands cannot write in {SOURCE.directory}" in said
    acts(host, f"rm {SOURCE.directory}")
    assert does(host, served(host)) == ""
    shown = host.run(f"stat -c '%U %a' {SOURCE.home} {SOURCE.directory}; systemctl is-active openhands").stdout
    assert shown == "openhands 700\nopenhands 700\nactive\n"


def served(host: Host, **values: str) -> Script:
    """Runs the service; its page is Ollama's, which answers at once."""
    script = RunService(
        unit="/etc/systemd/system/openhands.service",
        text=f"# Written by fleethands.\n{UNIT}",
        environment="",
        config="",
        started="/run/fleethands/openhands",
        url="http://127.0.0.1:11434/api/version",
        limit=20,
        container="openhands-app",
        adopt=False,
        key_file="",
        user="openhands",
        own=f"{SOURCE.home}\n{WORKSPACE}",
        nested=SOURCE.directory,
    ).script
    return script.with_values(**values)


def tree_swapped_while_handed_over(field: Field) -> None:
    host = field.host
    account(host)
    host.run("useradd --system second")
    before = victim(host)
    acts(host, f"mkdir -p {WORKSPACE}/sub && cd {WORKSPACE}/sub && touch $(seq -f f%g 100)")
    swap = f"cd {WORKSPACE} && mv sub away && ln -s {VICTIM} sub; rm sub; mv away sub"
    for number in range(field.rounds):
        one, other = ("openhands", "second") if number % 2 else ("second", "openhands")
        does(host, handed_over(one))
        with keeps_at(host, f"{swap} 2>/dev/null", user=one):
            does(host, handed_over(other))
        assert untouched(host) == before
        host.run(f"cd {WORKSPACE}; rm -f sub; [ ! -d away ] || mv away sub")
    # a file that is swapped out meanwhile may keep its owner, and gets no other
    assert host.run(f"find {WORKSPACE} ! -user openhands ! -user second").stdout == ""


def handed_over(user: str) -> Script:
    parts = scripts.join("owned", "common", "openhands")
    return Script(f'{parts}\nhand_over {WORKSPACE} "$(numbers_of {user})"', {"step": "container", "run": ""})


def somebody_still_works(field: Field) -> None:
    host = field.host
    account(host)
    host.run("useradd --system second")
    does(host, handed_over("openhands"))
    host.run("systemd-run --quiet --collect --unit person --uid openhands sleep inf")

    said = does(host, served(host, user="second", nested=""))

    uid = host.run("id -u openhands").stdout.strip()
    assert f"processes of the user {uid}, who works in it, still run" in said
    assert f"hint: see them, on the host: ps -fU {uid}" in said
    assert host.run(f"stat -c %U {WORKSPACE}; systemctl is-active person").stdout == "openhands\nactive\n"


def agents_home_from_before(field: Field) -> None:
    """A host on which an earlier release gave the directory above the agent's to the agent."""
    host = field.host
    account(host)
    host.run(f"chown openhands: {HOME}")
    acts(host, f"ln -s /root {HOME}/state-v1")
    before = victim(host)

    does(host, CreateUser("openhands", HOME, "", roots_home=True).script)
    said = does(host, CreateDirectory(f"{HOME}/state-v1", None, "0755").script)

    assert untouched(host) == before
    assert f"error: {HOME}/state-v1 is a link that root did not make" in said
    assert host.run(f"stat -c %U {HOME}").stdout == "root\n"


def workspace_below_another_account(field: Field) -> None:
    host = field.host
    host.run("useradd --create-home dev")
    acts(host, "ln -s /root /home/dev/ws", user="dev")
    before = victim(host)

    said = does(host, CreateDirectory("/home/dev/ws", None, "0755").script)

    assert untouched(host) == before
    assert "error: /home/dev/ws is in a directory that is not root's" in said


def link_in_ollamas_models(field: Field) -> None:
    host, models = field.host, "/usr/share/ollama/.ollama/models"
    blob = host.run(f"ls {models}/blobs | head -n 1").stdout.strip()
    host.run(f"rm -rf {VICTIM}; mkdir -m 0711 {VICTIM}; echo precious >{VICTIM}/{blob}; chmod 600 {VICTIM}/{blob}")
    acts(host, f"cd {models} && mv blobs away && ln -s {VICTIM} blobs", user="ollama")
    before = untouched(host)

    fleethands("verify", "--checksums")

    assert untouched(host) == before


def link_above_adopted_models(field: Field) -> None:
    host = field.host
    host.run("useradd --system --create-home --home-dir /srv/llm llm")
    before = victim(host)
    acts(host, f"ln -s {VICTIM.rpartition('/')[0]} /srv/llm/kept", user="llm")

    does(host, AdoptModels(f"/srv/llm/kept/{VICTIM.rpartition('/')[2]}", theirs="root").script)

    assert untouched(host) == before


def removal_through_a_link(field: Field) -> None:
    host = field.host
    account(host)
    host.run(f"echo 'directory {SOURCE.directory}' >>/var/lib/fleethands/made; chown openhands: {HOME}")
    victim(host)
    host.run(f"mkdir {VICTIM}/.openhands && echo precious >{VICTIM}/.openhands/notes")
    before = untouched(host)
    acts(host, f"rm -rf {SOURCE.home}; ln -s {VICTIM} {SOURCE.home}")

    for path in (SOURCE.directory, SOURCE.home, SOURCE_V0.home, WORKSPACE):
        does(host, RemoveDirectory(path).script)

    assert untouched(host) == before
    assert host.run(f"ls -A {HOME}; grep directory /var/lib/fleethands/made", check=False).stdout == ""


# new files for as long as the directory is the writer's, the last few of which stay
WRITER = "at=0; while :; do at=$((at + 1)); echo >/workspace/new-$at && rm -f /workspace/new-$((at - 20)); done"


def sandbox_works_on(field: Field) -> None:
    """OpenHands is replaced, and a sandbox of its agent still runs."""
    host, name = field.host, "oh-agent-server-lab"
    host.run("useradd --system second")
    run = f"docker run -d --name {name} --user $(id -u openhands):$(id -g openhands) -v {WORKSPACE}:/workspace"
    host.run(f"{run} --entrypoint sh {GUIDE} -c {shlex.quote(WRITER)}", timeout=120)
    until(host, f"ls {WORKSPACE} | grep -q new-", 30)

    does(host, handed_over("second"))

    assert host.run(f"find {WORKSPACE} ! -user second").stdout == ""
    assert host.run(f"docker inspect -f '{{{{.State.Running}}}}' {name}").stdout == "false\n"


def _attack(position: Position, carry_out: Any, tries: str, holds: str, **rest: Any) -> Attack:
    return Attack(carry_out.__name__.replace("_", "-"), position, tries, holds, carry_out, **rest)


ATTACKS = (
    _attack(
        Position.AGENT,
        settings_file_swapped,
        "removes settings.json, and puts a symlink in the place of the file that the next run writes",
        "no file of root's gets another owner or mode, and the settings are written once the agent stops",
        finding="F3",
        race=True,
    ),
    _attack(
        Position.AGENT,
        link_for_the_state_directory,
        "replaces its own state directory with a symlink to /",
        "/ keeps its mode, and the run fails with the name of the directory",
        finding="F5",
    ),
    _attack(
        Position.AGENT,
        tree_swapped_while_handed_over,
        "swaps a directory of the workspace with a symlink, again and again, while the workspace gets another owner",
        "no file outside the workspace gets another owner",
        finding="F6",
        race=True,
    ),
    _attack(
        Position.AGENT,
        somebody_still_works,
        "keeps a process running while its workspace is given to another user",
        "the run fails with the command that lists the processes, and stops none of them",
    ),
    _attack(
        Position.AGENT,
        sandbox_works_on,
        "writes files in a sandbox while the workspace is given to another user",
        "the sandbox is stopped first, and every file belongs to that user",
        finding="F6",
        state="converged",
    ),
    _attack(
        Position.AGENT,
        agents_home_from_before,
        "puts a symlink to /root next to its state, where an earlier release gave it the parent directory",
        "the parent directory belongs to root again, and the symlink is refused by name",
    ),
    _attack(
        Position.AGENT,
        removal_through_a_link,
        "replaces its own home with a symlink to a directory of root's, before its directories are removed",
        "the symlink is removed, and its target stays",
    ),
    _attack(
        Position.ACCOUNT,
        workspace_below_another_account,
        "puts a symlink to /root in the place of a workspace that is declared in its home",
        "/root keeps its mode, and the workspace is refused",
    ),
    _attack(
        Position.ACCOUNT,
        link_in_ollamas_models,
        "as Ollama's user, replaces the directory of blobs with a symlink before verify --checksums",
        "no file of root's is removed",
    ),
    _attack(
        Position.ACCOUNT,
        link_above_adopted_models,
        "puts a symlink above the models that fleethands adopts",
        "no file outside gets another owner",
    ),
)
