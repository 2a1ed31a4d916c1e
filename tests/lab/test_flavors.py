"""OpenHands of every generation: brought to a proven answer, changed for another and back, a person's work kept."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS, GUIDE, KEY_FILE, V0, V1, answers, canvas_key, sandbox_ports, until
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
@pytest.mark.timeout(1800)
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
    host.run(f"docker commit --change 'ENTRYPOINT {command}' --change 'CMD []' openhands-app {name}", timeout=120)


BAD = {"converged": "bad/openhands:0.63", "v1": "bad/openhands:1.12", "canvas": "bad/agent-canvas:1.17.0"}


@pytest.mark.parametrize(
    ("state", "data"),
    [
        ("converged", V0),
        ("v1", V1),
        ("canvas", CANVAS),
    ],
)
@pytest.mark.soak
def test_a_bad_image_gives_way_to_the_good_one(
    request: pytest.FixtureRequest, state: str, data: dict[str, Any]
) -> None:
    host: Host = request.getfixturevalue(state)
    good = observe.identity(host).container
    broken_image(host, BAD[state])

    code, failed = fleethands("apply", timeout=500, **{**data, "openhands_image": BAD[state]})

    assert code == 1
    told = failed["hosts"]["lab-1"]
    assert told["status"] == "rolled-back"
    assert "the previous one is running again" in told["reason"]
    assert "the new one is broken on purpose" in "\n".join(told["log"])
    assert observe.identity(host).container == good
    code, again = fleethands("apply", **data)
    assert (code, changes(again)) == (0, []), fleet.trouble(again)
    assert observe.leftovers(host) == []


BEFORE = "docker container inspect openhands-app-before"
MOMENTS = {
    "the old one is kept": BEFORE,
    "the new one is made": f"{BEFORE} && docker container inspect openhands-app",
    "the new one is asked": f"{BEFORE} && docker logs openhands-app 2>&1 | grep /health",
}


@pytest.mark.soak
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_run_killed_at_the_swap_is_completed_by_the_next(converged: Host, moment: str) -> None:
    changed: dict[str, Any] = {"openhands_env": {"ANOTHER": "one"}}
    answers(converged)
    process = fleet.start("lab-1", **changed)
    try:
        converged.run(f"until {moment} >/dev/null 2>&1; do sleep 0.02; done", timeout=120)
        holders = "find /proc/[0-9]*/fd -lname /run/fleethands/lock.step 2>/dev/null | cut -d / -f 3 | sort -u"
        converged.run(f"{holders} | xargs -r kill -KILL", check=False)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    code, done = fleethands("apply", **changed)

    assert code == 0, fleet.trouble(done)
    assert "ANOTHER=one" in converged.run("docker inspect openhands-app -f '{{.Config.Env}}'").stdout
    assert observe.proven(converged)
    assert observe.leftovers(converged) == []
    assert changes(fleethands("plan", **changed)[1]) == []


@pytest.mark.soak  # test_broken_ways.py has a sample
def test_what_a_person_chose_stays_and_is_told_unless_it_is_enforced(converged: Host) -> None:
    mine = '{"llm_model": "openai/mine", "llm_base_url": "http://elsewhere/v1", "llm_api_key": "k"}'
    answers(converged)
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


def test_a_plan_warns_of_what_openhands_will_not_work_well_with(converged: Host) -> None:
    code, plan = fleethands("plan", openhands_model="ollama/codellama:7b", ollama_context_length=8192)

    notes = "\n".join(plan["hosts"]["lab-1"]["notes"])
    assert code == 2
    assert CHOOSE not in changes(plan)  # the guide's name of the model is understood, and what is written is the same
    assert "`ollama_context_length` is 8192; OpenHands' own prompt needs 22000 at the least" in notes
    assert "codellama:7b takes no tools" in notes

    _, plan = fleethands("plan", openhands_model="ollama/tiny-tools", models=["codellama:7b", "tiny-tools"])

    (choice,) = [change for change in plan["hosts"]["lab-1"]["changes"] if change["operation"] == "Choose the model"]
    assert choice["to"] == "openai/tiny-tools:latest"
    assert "litellm drops" in choice["why"]


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
def test_what_was_there_before_outlives_a_docker_that_starts_nothing(converged: Host) -> None:
    """Docker's chains are missing, as after `iptables --flush`. The container to restart is foreign."""
    converged.run("docker rm -f openhands-app")
    converged.run(f"docker run -d --name openhands-app -p 127.0.0.1:3000:3000 {GUIDE}")
    theirs = observe.identity(converged).container
    converged.run("iptables -t nat -F && iptables -t nat -X")

    code, failed = fleethands("apply", openhands_adopt=True)

    assert code == 1
    told = failed["hosts"]["lab-1"]
    assert "the previous one is back in place, and does not start" in told["reason"]
    assert observe.identity(converged).container == theirs
    commands = [hint.removeprefix("on the host: ") for hint in told["hints"] if hint.startswith("on the host: ")]
    assert commands == ["systemctl restart docker", "docker start openhands-app"]
    converged.run(" && ".join(commands), timeout=60)
    assert converged.run("docker inspect openhands-app -f '{{.State.Running}}'").stdout == "true\n"


def test_a_unit_of_somebody_elses_is_refused_and_moved_by_the_hint(converged: Host) -> None:
    unit = "[Service]\nExecStart=/bin/sleep inf\n[Install]\nWantedBy=multi-user.target\n"
    converged.run("cat >/etc/systemd/system/openhands.service && systemctl enable --now openhands", stdin=unit)
    changed: dict[str, Any] = {"openhands_env": {"ANOTHER": "one"}}

    code, refused = fleethands("plan", **changed)

    assert code == 1
    (hint,) = [hint for hint in refused["hosts"]["lab-1"]["hints"] if "on the host: " in hint]
    assert converged.run("systemctl is-active openhands").stdout == "active\n"
    converged.run(hint.partition("on the host: ")[2])
    assert converged.run("cat /etc/systemd/system/openhands-mine.service").stdout == unit
    assert RUN in changes(fleethands("plan", **changed)[1])


@pytest.mark.soak
def test_verify_leaves_what_waits_for_its_proof_to_the_next_apply(converged: Host) -> None:
    """A run was killed before its proof: the new container runs, and the old one is kept."""
    answers(converged)
    waits = "docker inspect openhands-app-before -f {{.Name}}"
    image = converged.run("docker inspect openhands-app -f '{{.Config.Image}}'").stdout.strip()
    converged.run(f"docker create --name openhands-app-before --label fleethands.spec=old {image}")

    assert fleethands("verify")[0] == 0
    converged.run(waits)
    assert not observe.proven(converged)

    code, done = fleethands("apply")
    assert (code, changes(done)) == (0, [PROVE]), fleet.trouble(done)
    assert converged.run(waits, check=False).returncode != 0
    assert observe.proven(converged)


@pytest.mark.soak
def test_sandboxes_are_closed_to_the_outside_and_other_containers_are_not(v1: Host) -> None:
    """Whatever the host's own range of ports is; and they go with V1, before anybody reaches them."""
    both = (v1.address, v1.address6)
    v1.run("sysctl -qw net.ipv4.ip_local_port_range='1024 65535'")
    for name, port in (("mine", "8080:8000"), ("other", "45001:9000")):
        serve = f"{V1['openhands_image']} -m http.server {port.partition(':')[2]}"
        v1.run(f"docker run -d --name {name} -p {port} --entrypoint python {serve}")
        until(v1, f"curl -fs -o /dev/null localhost:{port.partition(':')[0]}", 60)

    ports = sandbox_ports(v1)

    assert len(ports) == 4
    assert all(32768 <= port <= 60999 for port in ports)
    assert [port for port in ports for address in both if observe.reachable(address, port)] == []
    assert [observe.reachable(address, 8080) for address in both] == [True, True]
    assert observe.reachable(v1.address, 45001)
    until(v1, "journalctl -u ollama -o cat | grep 'POST.*/v1/chat/completions'", 180)

    code, done = fleethands("apply", timeout=500, **V0)

    assert code == 0, fleet.trouble(done)
    left = ["OpenHands | Remove its sandboxes", "Firewall | Close only the declared ports"]
    assert changes(done)[-3:] == [PROVE, *left]
    assert sorted(v1.run("docker ps -a --format {{.Names}}").stdout.split()) == ["mine", "openhands-app", "other"]
    # the range is closed for V1 alone
    assert [observe.reachable(address, 45001) for address in both] == [True, True]
    code, again = fleethands("apply", **V0)
    assert (code, changes(again)) == (0, [])
