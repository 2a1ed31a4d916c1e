"""A host that reboots serves again with no run, and its unit hides no GPU."""

from __future__ import annotations

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS, KEY_FILE, answers
from tests.lab.host import Host

MODPROBE = "/usr/local/bin/nvidia-modprobe"  # a stand-in: no lab host has a GPU
CALLED = "/var/lib/nvidia-modprobe.called"


def test_a_rebooted_host_answers_again_with_no_run(converged: Host) -> None:
    stand_in = f'#!/bin/sh\necho "$(id -un) $* $(systemctl show ollama -p SubState --value)" >> {CALLED}\n'
    converged.run(f"cat > {MODPROBE} && chmod 755 {MODPROBE}", stdin=stand_in)

    converged.reboot()

    converged.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.1; done", timeout=30)
    answers(converged)
    assert observe.streamed_tokens(converged) > 1
    assert converged.run(f"cat {CALLED}").stdout == "root -u start-pre\n"
    converged.run(f"rm {MODPROBE} {CALLED}")
    assert observe.proven(converged)
    assert fleet.apply("lab-1").changed("lab-1") == []


@pytest.mark.soak
def test_canvas_answers_again_too(canvas: Host) -> None:
    canvas.reboot()

    answers(canvas, "localhost:8000/ready")
    key = f"sed -n 's/^LOCAL_BACKEND_API_KEY=\\(.*\\)$/header = \"X-Session-API-Key: \\1\"/p' {KEY_FILE}"
    assert "openai/tiny-tools" in canvas.run(f"{key} | curl -fsS --config - localhost:8000/api/profiles").stdout
    code, plan = fleet.fleethands("plan", **CANVAS)
    assert (code, fleet.changes(plan)) == (0, []), plan


def test_the_unit_is_sound_sandboxed_and_after_what_makes_device_nodes(serving: Host) -> None:
    checked = serving.run("systemd-analyze verify /etc/systemd/system/ollama.service 2>&1", check=False)
    exposed = serving.run("systemd-analyze security --threshold=60 --no-pager ollama.service", check=False)
    after = serving.run("systemctl show ollama -p After --value").stdout.split()

    assert (checked.returncode, checked.stdout) == (0, "")
    assert exposed.returncode == 0, exposed.stdout[-300:]
    assert {"systemd-modules-load.service", "nvidia-persistenced.service"} <= set(after)


def test_the_sandbox_leaves_devices_alone(serving: Host) -> None:
    shown = serving.run(
        "systemctl show ollama -p DevicePolicy -p DeviceAllow -p PrivateDevices -p MemoryDenyWriteExecute"
    ).stdout.split()
    pid = serving.run("systemctl show ollama -p MainPID --value").stdout.strip()
    status = serving.run(f"grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/{pid}/status").stdout.split()

    assert {each for each in shown if each != "DeviceAllow="} == {
        "DevicePolicy=auto",
        "MemoryDenyWriteExecute=no",
        "PrivateDevices=no",
    }
    assert status == ["CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2"]
    inside = f"nsenter -t {pid} -m"
    assert serving.run(f"{inside} ls -A /home").stdout == ""
    assert serving.run(f"{inside} touch /usr/x", check=False).returncode != 0
    assert serving.run(f"{inside} ls /dev").stdout == serving.run("ls /dev").stdout
