"""What belongs to somebody else is taken for ours, or a place of the system's for a directory of its own."""

from __future__ import annotations

import json

from tests.lab import observe
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.flavors import GUIDE, sandbox_ports
from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host

NAME = "openhands-app"
SANDBOX = "ghcr.io/openhands/agent-server:1.34.0-python"
LEDGER, RECORD, PROOF = (f"/var/lib/fleethands/{name}" for name in ("made", "record.json", "proof"))
NOT_OURS = f"a container named {NAME} is there that fleethands did not make"
TAKE_SANDBOXES = "OpenHands | Take its sandboxes away"


def names(host: Host) -> list[str]:
    """Of all containers."""
    return sorted(host.run("docker ps --all --format {{.Names}}").stdout.split())


def found(host: Host, name: str) -> str:
    """A container's id, and whether it runs."""
    return host.run(f"docker inspect --format '{{{{.Id}}}} {{{{.State.Running}}}}' {name}").stdout.strip()


def sleeps(host: Host, name: str, image: str, words: str = "") -> str:
    """The id of a container that a person starts, and that does nothing."""
    return host.run(f"docker run -d --name {name} {words} --entrypoint sleep {image} inf").stdout.strip()


def image_with_our_labels(field: Field) -> None:
    """A person commits our container, removes it, and runs the image under its name."""
    host = field.host
    host.run(f"docker commit {NAME} theirs:1 && docker rm -f {NAME}", timeout=120)
    theirs = sleeps(host, NAME, "theirs:1")

    for command in ("plan", "apply"):
        code, refused = fleethands(command)
        assert (code, refused["hosts"]["lab-1"]["reason"]) == (1, NOT_OURS)
    code, off = fleethands("plan", openhands_flavor="off")
    assert (code, "OpenHands | Take the container away" in changes(off)) == (2, False)
    code, done = fleethands("destroy")

    assert code == 0, trouble(done)
    assert found(host, NAME) == f"{theirs} true"


def name_of_what_gave_way(field: Field) -> None:
    """A person has a container under the name that ours gets while it waits for a proof."""
    host = field.host
    ours, theirs = observe.identity(host).container, sleeps(host, f"{NAME}-before", GUIDE)

    code, failed = fleethands("apply", "--no-rollback", openhands_env={"ANOTHER": "one"})

    assert code == 1
    assert failed["hosts"]["lab-1"]["reason"].endswith(f"a container named {NAME}-before is in the way")
    assert observe.identity(host).container == ours
    assert found(host, f"{NAME}-before") == f"{theirs} true"


def image_under_a_pulled_name(field: Field) -> None:
    """A person commits their work under the name of the image that was pulled for us."""
    host = field.host
    host.run(f"docker run --name mine --entrypoint sh {GUIDE} -c 'echo precious > /work'", timeout=120)
    theirs = host.run(f"docker commit mine {GUIDE} && docker rm mine", timeout=120).stdout.split()[0]

    code, done = fleethands("destroy")

    assert code == 0, trouble(done)
    assert host.run(f"docker image inspect --format '{{{{.Id}}}}' {GUIDE}").stdout.strip() == theirs


def sandboxes_of_another(field: Field) -> None:
    """Beside our V1 that was here, another OpenHands has sandboxes of the same name and the same image."""
    host = field.host
    host.run(f"docker tag {GUIDE} {SANDBOX} && echo 'sandbox {SANDBOX}' >> {LEDGER}")
    sleeps(host, "oh-agent-server-ours", SANDBOX, "-v /opt/openhands/workspace:/workspace:rw")
    sleeps(host, "oh-agent-server-theirs", SANDBOX, "-v /srv/theirs:/workspace:rw -v /kept")
    sleeps(host, "oh-agent-server-plain", SANDBOX)

    code, done = fleethands("apply")

    assert (code, changes(done)) == (0, [TAKE_SANDBOXES]), trouble(done)
    assert names(host) == ["oh-agent-server-plain", "oh-agent-server-theirs", NAME]
    assert host.run("docker volume ls -q | wc -l").stdout == "1\n"


def sandboxes_beside_a_real_v1(field: Field) -> None:
    """The same, with the real V1: its own sandbox goes with it."""
    host = field.host
    sandbox_ports(host)
    (own,) = [name for name in names(host) if name.startswith("oh-agent-server-")]
    sleeps(host, "oh-agent-server-theirs", SANDBOX, "-v /srv/theirs:/workspace:rw")

    code, done = fleethands("apply", timeout=500)

    assert code == 0, trouble(done)
    assert TAKE_SANDBOXES in changes(done)
    assert names(host) == ["oh-agent-server-theirs", NAME], own


def record_with_a_place_of_the_systems(field: Field) -> None:
    """A host's record says that its models lie where the keys of its SSH server are."""
    host = field.host
    before = host.run("stat -c '%U %a' /etc/ssh").stdout
    record = json.loads(host.run(f"cat {RECORD}").stdout)
    record["declared"]["ollama_models_dir"] = "/etc/ssh"
    host.run(f"cat > {RECORD} && rm {PROOF}", stdin=json.dumps(record))

    code, refused = fleethands("rollback", openhands_flavor="off")

    assert (code, refused["hosts"]["lab-1"]["status"]) == (1, "refused")
    assert "got `/etc/ssh`, which belongs to the system" in refused["hosts"]["lab-1"]["reason"]
    assert host.run("stat -c '%U %a' /etc/ssh").stdout == before


ATTACKS: tuple[Attack, ...] = (
    Attack(
        "an image with our labels",
        Position.ACCOUNT,
        "commits our container, and runs that image under the name of ours",
        "the container is somebody else's: plan and apply refuse it, and destroy leaves it running",
        image_with_our_labels,
        finding="L8",
        state="converged",
    ),
    Attack(
        "the name of what gave way",
        Position.ACCOUNT,
        "has a container under the name that ours gets while it waits for its proof",
        "ours goes on, and theirs is neither started, renamed nor removed",
        name_of_what_gave_way,
        state="converged",
    ),
    Attack(
        "an image under a pulled name",
        Position.ACCOUNT,
        "commits work of their own under the name of an image that was pulled for us",
        "destroy leaves an image that no registry has",
        image_under_a_pulled_name,
        state="converged",
    ),
    Attack(
        "sandboxes of another OpenHands",
        Position.ACCOUNT,
        "runs an OpenHands of their own, whose sandboxes have the names and the image of ours",
        "only sandboxes that work in a directory of ours are removed",
        sandboxes_of_another,
        finding="L9",
        state="converged",
    ),
    Attack(
        "sandboxes beside a real V1",
        Position.ACCOUNT,
        "runs an OpenHands of their own beside a V1 of ours",
        "the sandbox of ours goes with V1, theirs stays",
        sandboxes_beside_a_real_v1,
        finding="L9",
        state="v1",
        slow=True,
    ),
    Attack(
        "a record with a place of the system's",
        Position.ROOT,
        "writes /etc/ssh into the host's release record as the models' directory, and waits for a rollback",
        "the rollback is refused with the reason, and /etc/ssh is as it was",
        record_with_a_place_of_the_systems,
        finding="F14",
    ),
)
