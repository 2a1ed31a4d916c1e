"""The probe on real hosts: whatever shell, user or tools they have, and whichever daemon hangs."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleethands.facts import Probe
from fleethands.facts.probe import Docker, Firewall
from fleethands.facts.protocol import SECTIONS
from fleethands.facts.reading import Question, read
from fleethands.script import PATH, SHELL
from fleethands.settings import HostSettings
from tests.hosts import declared
from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.internet import release
from tests.lab.lab import Lab
from tests.lab.shell import run

IMAGE = "ghcr.io/all-hands-ai/openhands:main"
BUSYBOX = Path("/bin/busybox")
OWN_MOUNTS = "mount --make-rprivate / && mkdir -p /run/bare && mount -t tmpfs tmpfs /run/bare"


def settings(**data: Any) -> HostSettings:
    """What inventory/lab.py declares."""
    return declared(openhands_image=IMAGE, **data)


def probed(host: Host, *, before: str = "", reader: str = "sh -s", user: str = "root", **data: Any) -> Probe:
    """The answer of a host, by the real reader; `before`: what is done to a mount namespace of its own first."""
    question = Question.about(settings(**data))
    command = f"{OWN_MOUNTS} && {before} && exec {reader}"
    words = f"unshare -m sh -c {shlex.quote(command)}" if before else reader
    asked = time.time()
    done = host.run(words, stdin=question.script, user=user)
    return read(done.stdout.split("\n")[:-1], question, (asked, time.time()))


def differing(one: Probe, other: Probe) -> set[str]:
    """Sections that two probes of one host tell differently; clocks and free space move by themselves."""
    found = {name for name in SECTIONS if name not in {"system", "disk"} and one.sections[name] != other.sections[name]}
    return found | {name for name in ("system", "disk") if one.knows(name) != other.knows(name)}


def fleethands(command: str, target: str, *words: str, timeout: float = 60, **env: str) -> dict[str, Any]:
    """The command's document and, as `took`, its seconds."""
    begin = time.monotonic()
    program = str(Path(sys.executable).with_name("fleethands"))
    done = run(program, command, target, "--json", *words, cwd=fleet.ROOT, timeout=timeout, check=False, env=env)
    document: dict[str, Any] = json.loads(done.stdout)
    return {**document, "took": time.monotonic() - begin}


def plan_of(host: Host, *words: str) -> dict[str, Any]:
    """What the plan of one lab host says, with `took`."""
    document = fleethands("plan", "inventory/lab.py", "--hosts", host.name, *words)
    return {**document["hosts"][host.name], "took": document["took"]}


@pytest.fixture(scope="module")
def served(lab: Lab, converged_state: str) -> Host:
    """lab-1, applied and proven, for tests that change nothing on its disk."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(converged_state)
    host.run("cat > /run/busybox && chmod 755 /run/busybox", stdin=BUSYBOX.read_bytes())
    return host


def test_a_converged_host_is_known_whole_and_asks_nobody(served: Host) -> None:
    seen = probed(served)

    assert all(seen.knows(section) for section in SECTIONS), seen.document()
    assert seen.upstream.offers == ()
    assert seen.system.skew == 0
    assert seen.docker.image is not None
    assert {listener.process for listener in seen.sockets} == {"ollama", "docker-proxy"}
    assert all(listener.pid for listener in seen.sockets)
    text = json.dumps(seen.document())
    assert "********" not in text
    assert seen.files["/var/lib/fleethands/proof"].mtime == pytest.approx(time.time(), abs=3600)


def test_busybox_and_its_tools_say_what_dash_and_gnu_say(served: Host) -> None:
    """/usr/bin and /usr/sbin hold busybox' applets alone, and the commands that busybox has no word for."""
    kept = "docker systemctl curl ss nft dpkg-query getent"
    before = (
        "mkdir /run/bare/bin /run/bare/was /run/bare/also && /run/busybox --install -s /run/bare/bin"
        " && mount --bind /usr/bin /run/bare/was && mount --bind /usr/sbin /run/bare/also"
        f" && for tool in {kept}; do ln -sf $(ls -d /run/bare/was/$tool /run/bare/also/$tool 2>&-) /run/bare/bin/; done"
        " && mount --bind /run/bare/bin /usr/sbin && mount --bind /run/bare/bin /usr/bin"
    )

    seen = probed(served, before=before, reader="/run/busybox sh -s")

    assert differing(seen, probed(served)) == set()
    assert all(space.writable for space in seen.disk.values())


def test_busybox_and_nothing_else_voids_what_it_can_not_tell(served: Host) -> None:
    """A root directory that holds busybox, /proc and /sys."""
    before = (
        "mkdir /run/bare/bin /run/bare/proc /run/bare/sys /run/bare/dev && cp /run/busybox /run/bare/bin/"
        " && /run/bare/bin/busybox --install /run/bare/bin"
        " && mount --bind /proc /run/bare/proc && mount --bind /sys /run/bare/sys && mount --bind /dev /run/bare/dev"
    )

    seen = probed(served, before=before, reader="chroot /run/bare /bin/sh -s")

    unknown = {name for name in SECTIONS if not seen.knows(name)}
    assert unknown == {"packages", "accounts", "units", "process", "sockets", "ollama"}
    assert {offer.kind: offer.reason for offer in seen.upstream.offers} == {
        "archive": "curl is not on the host yet",
        "model": "curl is not on the host yet",
    }
    assert seen.docker == Docker(installed=False)
    assert seen.firewall == Firewall(installed=False)
    assert all(file.kind == "absent" for file in seen.files.values())


MASKED = {
    "curl": {"ollama"},
    "ss": {"sockets"},
    "docker": {"docker"},  # which is known: not installed
    "nft": {"firewall"},
    "getent": {"accounts"},
    "dpkg-query": {"packages"},
    "systemctl": {"system", "units", "process"},
    "timeout": {"system", "disk", "units", "process", "models", "sockets", "docker"},
    "base64": {"files", "process", "ollama", "docker"},
    "sha256sum": {"models", "firewall"},
    "stat": {"disk", "files", "releases"},
    "awk": {"disk"},
    "find": {"models"},
    "readlink": {"files", "process"},
    "ldconfig": set(),
}


@pytest.mark.parametrize("tool", MASKED)
def test_a_missing_tool_voids_its_own_sections(served: Host, tool: str) -> None:
    mask = f"for place in $(PATH={PATH} which -a {tool}); do mount --bind /dev/null $place || :; done"

    seen = probed(served, before=mask)

    assert differing(seen, probed(served)) == MASKED[tool]
    for section in MASKED[tool] - {"docker", "firewall"}:
        assert seen.document()[section] == {"unknown": f"the command `{tool}` is missing on this host"}


def test_a_user_with_sudo_and_a_login_that_speaks_turkish(served: Host) -> None:
    login = "export LANG=tr_TR.UTF-8 LC_ALL=de_DE.UTF-8 POSIXLY_CORRECT=1 IFS=i; echo Günaydın; printf 'no end of line'"
    served.run(f"cp ~admin/.bashrc /run/bashrc; (echo {shlex.quote(login)}; cat /run/bashrc) > ~admin/.bashrc")
    try:
        seen = probed(served, reader=SHELL, user="admin")
    finally:
        served.run("cat /run/bashrc > ~admin/.bashrc")

    assert differing(seen, probed(served)) == set()
    assert seen.system.uid == 0


def test_a_root_login_that_speaks_german(served: Host) -> None:
    seen = probed(served, reader="env LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 sh -s")

    assert differing(seen, probed(served)) == set()


def test_this_machine_and_a_container_are_probed_too(lab: Lab, served: Host, tmp_path: Path) -> None:
    """By pyinfra's own connectors; `docker` is the host's, reached over SSH as `DOCKER_HOST=ssh://…` does it."""
    words = ["ssh", "-F", str(lab.site.access.config), "-l", "root", served.name]
    docker = tmp_path / "docker"
    docker.write_text(
        f"#!{sys.executable}\nimport os, shlex, sys\nwords = {words!r}\n"
        "os.execvp(words[0], [*words, shlex.join(['docker', *sys.argv[1:]])])\n"
    )
    docker.chmod(0o755)
    data = ("--data", 'models=["codellama:7b"]', "--data", f"openhands_image={IMAGE}")
    path = f"{tmp_path}:{os.environ['PATH']}"
    served.run(f"docker run -d --name debian --entrypoint sleep {IMAGE} 600")
    served.run(
        "mkdir -p /run/root/bin && cp /run/busybox /run/root/bin && cd /run/root/bin && ./busybox --install ."
        " && tar -C /run/root -c . | docker import -c 'ENV PATH=/bin' - busybox:lab"
        " && docker run -d --name bare busybox:lab sleep 600"
    )
    try:
        documents = {name: fleethands("plan", f"@docker/{name}", *data, PATH=path) for name in ("debian", "bare")}
    finally:
        served.run("docker rm -f debian bare; docker rmi busybox:lab; rm -rf /run/root")
    documents["local"] = fleethands("plan", "@local", *data)

    hosts = {name: next(iter(document["hosts"].values())) for name, document in documents.items()}
    assert {name: host["remote_commands"] for name, host in hosts.items()} == {"debian": 1, "bare": 1, "local": 1}
    assert hosts["debian"]["reason"] == "systemd does not run here"
    assert hosts["bare"]["reason"] == "this system is not supported"


@contextmanager
def stopped(host: Host, *units: str) -> Iterator[None]:
    """Their main processes hang: they hold their sockets and answer nothing."""
    host.run(f"systemctl kill --kill-whom=main -s STOP {' '.join(units)}")
    try:
        yield
    finally:
        host.run(f"systemctl kill --kill-whom=main -s CONT {' '.join(units)}")


@pytest.mark.parametrize("unit", ["docker", "ollama"])
def test_a_daemon_that_hangs_is_named_in_the_plan_within_five_seconds(served: Host, unit: str) -> None:
    usual = probed(served)
    with stopped(served, unit):
        begin = time.monotonic()
        seen = probed(served)
        probe_took = time.monotonic() - begin
        plan = plan_of(served)

    assert differing(seen, usual) == {unit}
    assert 4.5 < probe_took < 7
    assert plan["status"] == "refused"
    assert plan["reason"] == f"cannot tell the state of {unit}: no answer within 5 s"
    assert plan["hints"] == [f"on the host: systemctl restart {unit}; its last words: journalctl -u {unit} -n 30"]
    assert plan["remote_commands"] == 1
    assert plan["took"] < 9


def test_two_daemons_that_hang_are_waited_for_at_once(served: Host) -> None:
    with stopped(served, "docker", "ollama"):
        begin = time.monotonic()
        seen = probed(served)
        took = time.monotonic() - begin

    assert {name for name in SECTIONS if not seen.knows(name)} == {"docker", "ollama"}
    assert took < 7


def test_a_clean_host_knows_the_size_of_what_it_lacks(lab: Lab, clean: Host) -> None:
    wanted = {"models": ["codellama:7b", "no-such-model:1b"]}

    seen = probed(clean, models=wanted["models"])

    archive = release.tree() / "v0.24.0" / release.archive_name()
    manifest = lab.internet.registry.manifest("library/codellama", "7b")
    assert manifest is not None
    document = json.loads(manifest)
    model, image = seen.upstream.of("model", "codellama:7b"), seen.upstream.of("image", IMAGE)
    assert seen.upstream.size("archive", "0.24.0") == archive.stat().st_size
    assert model is not None
    assert model.digest == hashlib.sha256(manifest if isinstance(manifest, bytes) else manifest.encode()).hexdigest()
    assert model.size == sum(layer["size"] for layer in [document["config"], *document["layers"]])
    assert image is not None
    assert image.size is not None
    assert image.size > 100_000_000, image
    assert getattr(seen.upstream.of("model", "no-such-model:1b"), "state", "") == "missing"


def test_a_proxy_is_used_and_its_password_shows_nowhere(clean: Host) -> None:
    clean.run("iptables -I OUTPUT -p tcp --dport 3128 -j DROP")
    environment = {"HTTPS_PROXY": "http://ana:hunter2@10.255.255.1:3128"}
    watch = "while :; do cat /proc/[0-9]*/cmdline; sleep 0.05; done > /run/watched"
    clean.run(f"systemd-run --quiet --unit watcher sh -c {shlex.quote(watch)}")

    seen = probed(clean, ollama_env=environment)

    clean.run("systemctl stop watcher")
    offer = seen.upstream.of("model", "codellama:7b")
    assert offer is not None
    assert (offer.state, offer.reason) == ("unreachable", "no answer within 8 s")
    assert clean.run("grep -ac curl /run/watched").stdout.strip() != "0"
    assert clean.run("grep -ac hunter2 /run/watched", check=False).stdout.strip() == "0"
    assert "hunter2" not in json.dumps(seen.document())

    past = probed(clean, ollama_env={**environment, "NO_PROXY": "registry.ollama.ai"})

    assert past.upstream.size("model", "codellama:7b")


def test_no_route_to_the_registry_is_refused_before_anything_changes(clean: Host) -> None:
    clean.run("sed -i s/registry.ollama.ai// /etc/hosts")

    plan = plan_of(clean)

    assert plan["status"] == "refused"
    assert plan["reason"] == "no route to registry.ollama.ai: its name is not known on this host"
    assert plan["hints"][0] == (
        "try it on the host: curl -sSI https://registry.ollama.ai/v2/library/codellama/manifests/7b"
    )
    assert plan["changes"] == []


def test_a_container_on_our_port_is_named(converged: Host) -> None:
    converged.run(
        "docker rm -f openhands-app"
        f" && docker run -d --name grafana -p 127.0.0.1:3000:3000 --entrypoint sleep {IMAGE} 600"
    )

    plan = plan_of(converged)

    assert plan["status"] == "refused"
    assert plan["reason"].startswith("port 3000 is held by `docker-proxy` (pid ")
    assert plan["reason"].endswith(") for the container `grafana`")
    assert plan["hints"][0] == "on the host: docker stop grafana"

    converged.run("docker rm -f grafana")
    assert fleet.apply("lab-1").code == 0
    assert fleet.apply("lab-1").changed("lab-1") == []


def test_an_ollama_started_by_hand_is_named(converged: Host) -> None:
    converged.run("systemctl stop ollama && systemd-run --quiet --unit by-hand --setenv=HOME=/root ollama serve")
    converged.run("until ss -Hltn 'sport = :11434' | grep -q .; do sleep 0.02; done", timeout=10)

    plan = plan_of(converged)

    assert plan["status"] == "refused"
    assert plan["reason"].startswith("port 11434 is held by `ollama` (pid ")
    assert plan["hints"][0].startswith("it is not ollama.service's own; on the host: kill ")


def test_what_does_not_fit_is_refused_with_what_is_needed(converged: Host) -> None:
    with converged.out_of_disk("/usr/share/ollama/.ollama/models", "60m"):
        plan = plan_of(converged, "--data", 'models=["codellama:7b", "padded"]')

    assert plan["status"] == "refused"
    assert plan["reason"].startswith("/usr/share/ollama/.ollama/models has ")
    assert "MiB free, " in plan["reason"]
    assert plan["hints"][0].startswith("that is for padded:latest 1")


def test_a_read_only_place_is_refused(converged: Host) -> None:
    converged.run("mount --bind /opt /opt && mount -o remount,ro,bind /opt")
    try:
        plan = plan_of(converged)
        seen = probed(converged)
    finally:
        converged.run("umount /opt")

    assert plan["reason"] == "/opt is not writable"
    assert plan["hints"][0] == 'on the host: mount -o remount,rw "$(findmnt -no TARGET -T /opt)"'
    assert [place for place, space in seen.disk.items() if not space.writable] == ["/opt"]
