"""OpenHands of every generation: brought to a proven answer, changed for another and back, a person's work kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS, GUIDE, KEY_FILE, V0, V1, canvas_key, sandbox_ports, until
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab

RUN = "OpenHands | Run the container"
CHOOSE = "OpenHands | Choose the model"
PROVE = "Proof | Get an answer to a prompt"
MODEL = "openai/codellama:7b"
STATES = {"v0": "state", "v1": "state-v1", "canvas": "state-canvas"}
EVERY = {"v0": V0, "v1": V1, "canvas": CANVAS}


def serves(host: Host, **data: Any) -> None:
    """The product brings the host there, proves it, and finds nothing left to do."""
    code, done = fleethands("apply", timeout=500, **data)
    assert code == 0, fleet.trouble(done)
    assert RUN in changes(done)
    code, again = fleethands("plan", **data)
    assert (code, changes(again)) == (0, []), again
    assert observe.leftovers(host) == []


def works_in(host: Host, generation: str) -> None:
    """The user inside can write its state and the workspace, and reads there what was there before."""
    assert host.run("cat /opt/openhands/workspace/notes").stdout == "mine\n"
    places = f"/opt/openhands/workspace /opt/openhands/{STATES[generation]}"
    owners = host.run(f"stat -c %u {places} /opt/openhands/workspace/notes").stdout.split()
    tried = host.run("docker inspect openhands-app -f '{{index .Config.Labels \"fleethands.users\"}}'").stdout.split()
    state, workspace = (user.partition(":")[0] for user in tried)
    assert owners == [workspace, state, workspace]


def test_canvas_takes_the_place_of_the_web_app_and_gives_it_back(canvas: Host) -> None:
    works_in(canvas, "canvas")
    hidden(canvas)

    serves(canvas, **V0)

    works_in(canvas, "v0")
    assert canvas.run("docker ps -aq | wc -l").stdout == "1\n"


@pytest.mark.soak
def test_one_host_goes_from_each_generation_to_each_other_and_back(lab: Lab, v1: Host) -> None:
    lab.internet.offer("canvas")
    works_in(v1, "v1")
    for generation in ("canvas", "v0", "v1", "v0", "canvas", "v1"):
        serves(v1, **EVERY[generation])
        works_in(v1, generation)
    assert v1.run("docker ps -aq | wc -l").stdout == "1\n"


def hidden(host: Host) -> None:
    """Canvas' key is in its file and its container, and nowhere else."""
    key = canvas_key(host)
    assert len(key) == 64
    assert host.run(f"stat -c '%a %U' {KEY_FILE}").stdout == "600 root\n"
    logs = "docker logs openhands-app 2>&1; journalctl -b -o cat"
    assert key not in host.run(f"{logs}; ps -eww -o args; find /var/lib/fleethands -type f -exec cat {{}} +").stdout


def broken_image(host: Host, name: str) -> None:
    """An image on the host that says what is wrong and ends; made from the good one."""
    command = '["sh", "-c", "echo the new one is broken on purpose; exit 3"]'
    host.run(f"docker commit --change 'ENTRYPOINT {command}' --change 'CMD []' openhands-app {name}", timeout=60)


def test_a_bad_image_gives_way_to_the_good_one(converged: Host) -> None:
    good = observe.identity(converged).container
    broken_image(converged, "bad/openhands:0.63")

    code, failed = fleethands("apply", openhands_image="bad/openhands:0.63")

    assert code == 1
    host = failed["hosts"]["lab-1"]
    assert "the container before it serves again" in host["reason"]
    assert "the new one is broken on purpose" in "\n".join(host["log"])
    assert observe.identity(converged).container == good
    assert changes(fleethands("apply")[1]) == [PROVE]
    assert observe.proven(converged)
    assert observe.leftovers(converged) == []
    assert changes(fleethands("apply")[1]) == []


def test_what_a_person_chose_stays_and_is_told_unless_it_is_enforced(converged: Host) -> None:
    mine = '{"llm_model": "openai/mine", "llm_base_url": "http://elsewhere/v1", "llm_api_key": "k"}'
    converged.run("until curl -fs -o /dev/null localhost:3000/health; do sleep 0.2; done", timeout=60)
    converged.run(f"curl -fsS -H 'Content-Type: application/json' -d '{mine}' localhost:3000/api/settings")

    code, kept = fleethands("apply")

    assert (code, changes(kept)) == (0, [])
    (note,) = [note for note in kept["hosts"]["lab-1"]["notes"] if "a person chose openai/mine" in note]
    assert MODEL in note
    assert note in fleet.say("plan")[1]
    assert note in fleet.say("status")[1]

    code, enforced = fleethands("apply", openhands_settings="enforced")

    assert code == 0, enforced
    assert changes(enforced) == [CHOOSE, PROVE]
    assert MODEL in converged.run("curl -fsS localhost:3000/api/settings").stdout
    assert changes(fleethands("apply", openhands_settings="enforced")[1]) == []


@pytest.mark.soak
def test_a_container_of_somebody_elses_is_left_alone_until_it_is_to_be_adopted(converged: Host) -> None:
    converged.run("docker rm -f openhands-app")
    converged.run(f"docker run -d --name openhands-app -p 127.0.0.1:3000:3000 {GUIDE}")
    theirs = observe.identity(converged).container

    code, refused = fleethands("apply")

    assert code == 1
    assert "openhands_adopt" in "\n".join(refused["hosts"]["lab-1"]["hints"])
    assert observe.identity(converged).container == theirs

    serves_now = fleethands("apply", openhands_adopt=True)

    assert serves_now[0] == 0, serves_now
    kept = converged.run("docker inspect openhands-app-adopted -f '{{.Id}} {{.State.Running}}'").stdout
    assert kept == f"{theirs} false\n"
    assert changes(fleethands("apply", openhands_adopt=True)[1]) == []
    assert changes(fleethands("apply")[1]) == []


@pytest.mark.soak
def test_sandboxes_are_closed_to_the_outside_and_other_containers_are_not(v1: Host) -> None:
    both = (v1.address, v1.address6)
    for name, port in (("mine", "8080:8000"), ("other", "45001:9000")):
        serve = f"{V1['openhands_image']} -m http.server {port.partition(':')[2]}"
        v1.run(f"docker run -d --name {name} -p {port} --entrypoint python {serve}")
        until(v1, f"curl -fs -o /dev/null localhost:{port.partition(':')[0]}", 60)

    ports = sandbox_ports(v1)

    assert len(ports) == 4
    assert [port for port in ports for address in both if observe.reachable(address, port)] == []
    assert [observe.reachable(address, 8080) for address in both] == [True, True]
    assert observe.reachable(v1.address, 45001)
    until(v1, "journalctl -u ollama -o cat | grep 'POST.*/v1/chat/completions'", 180)
