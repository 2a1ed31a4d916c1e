"""The probe on real hosts, whatever shell, user or tools they have."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from fleethands.facts.framing import SECTIONS
from fleethands.facts.network import Firewall
from fleethands.script import PATH, SHELL
from tests.lab.asking import differing, fleethands, probed
from tests.lab.flavors import GUIDE
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.probe_cost import measure

BUSYBOX = Path("/bin/busybox")
FIXTURES = Path(__file__).parents[1] / "fixtures"


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

    assert all(seen.knows(section) for section in SECTIONS), seen.to_json()
    assert seen.upstream.offers == ()
    assert seen.system.skew == 0
    assert seen.docker.image is not None
    assert {listener.process for listener in seen.sockets} == {"ollama", "docker-proxy"}
    assert all(listener.pid for listener in seen.sockets)
    text = json.dumps(seen.to_json())
    assert "********" not in text
    assert seen.files["/var/lib/fleethands/proof"].mtime == pytest.approx(time.time(), abs=3600)


def test_a_probe_starts_few_processes(served: Host) -> None:
    """127 on 2026-11-30, and 292 before docker, curl and systemctl were asked once for all."""
    assert 50 < measure(served).started < 146


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
    assert unknown == {"packages", "accounts", "units", "process", "service", "sockets", "ollama"}
    assert {offer.kind: offer.reason for offer in seen.upstream.offers} == {
        "archive": "curl is not on the host yet",
        "model": "curl is not on the host yet",
    }
    assert (seen.docker.installed, seen.docker.engine.version) == (False, "")
    assert seen.firewall == Firewall(installed=False)
    assert all(file.kind == "absent" for file in seen.files.values())


MASKED = {
    "curl": {"ollama"},
    "ss": {"sockets"},
    "docker": {"docker", "apt"},  # which are known: not installed, and what apt would do
    "nft": {"firewall"},
    "getent": {"accounts", "service"},
    "dpkg-query": {"packages"},
    "systemctl": {"system", "units", "process"},
    "timeout": {"system", "disk", "files", "units", "process", "models", "directories", "sockets", "docker"},
    "base64": {"files", "process", "service", "directories", "lock", "ollama", "docker"},
    "sha256sum": {"models", "firewall"},
    "stat": {"disk", "files", "releases", "directories", "lock", "docker"},
    "awk": {"disk", "docker"},
    "find": {"models", "directories"},
    "readlink": {"files", "process", "service"},
    "ldconfig": set(),
}


@pytest.mark.parametrize("tool", MASKED)
def test_a_missing_tool_voids_its_own_sections(served: Host, tool: str) -> None:
    mask = f"for place in $(PATH={PATH} which -a {tool}); do mount --bind /dev/null $place || :; done"

    seen = probed(served, before=mask)

    assert differing(seen, probed(served)) == MASKED[tool]
    for section in MASKED[tool] - {"docker", "firewall", "apt"}:
        assert seen.to_json()[section] == {"unknown": f"the command `{tool}` is missing on this host"}


def test_a_gpu_is_found_on_the_bus_with_its_driver_and_the_words_of_nvidia_smi(served: Host) -> None:
    """There is no GPU here: files as Linux' sysfs has them, and nvidia-smi's words from tests/fixtures."""
    words = (FIXTURES / "nvidia-smi-mismatch.txt").read_text()
    served.run("cat > /run/nvidia-smi; chmod 755 /run/nvidia-smi", stdin=f"#!/bin/sh\ncat <<'.'\n{words}.\nexit 18\n")
    bus = "/sys/bus/pci/devices"
    before = (
        f"mount -t tmpfs tmpfs /sys/bus && mkdir -p {bus}/0000:17:00.0 {bus}/0000:00:01.0 /run/bare/nvidia"
        f" && cd {bus}/0000:17:00.0 && echo 0x10de > vendor && echo 0x030200 > class && echo 0x2330 > device"
        f" && ln -s /run/bare/nvidia driver && cd ../0000:00:01.0 && echo 0x8086 > vendor && echo 0x030000 > class"
        " && mkdir /run/bare/tools && cp /run/nvidia-smi /run/bare/tools"
        " && mount --bind /run/bare/tools /usr/local/sbin && cd /"
    )

    seen = probed(served, before=before)

    assert [(each.address, each.vendor, each.driver) for each in seen.gpu.pci] == [("0000:17:00.0", "nvidia", "nvidia")]
    assert (
        seen.gpu.failure == "Failed to initialize NVML: Driver/library version mismatch NVML library version: 570.124"
    )
    assert seen.gpu.libcuda is False
    assert probed(served).gpu.pci == ()


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
    data = ("--data", 'models=["codellama:7b"]', "--data", f"openhands_image={GUIDE}")
    path = f"{tmp_path}:{os.environ['PATH']}"
    served.run(f"docker run -d --name debian --entrypoint sleep {GUIDE} 600")
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
