"""A foreign thing looks managed, or a directory of the system looks like an own directory."""

from __future__ import annotations

import json

from tests.lab import observe
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.flavors import GUIDE, sandbox_ports
from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host

NAME, OFF = "openhands-app", "off"
SANDBOX = "ghcr.io/openhands/agent-server:1.34.0-python"
LEDGER, WORKERS, RECORD, PROOF = (f"/var/lib/fleethands/{name}" for name in ("made", "workers", "record.json", "proof"))
TAKE_CONTAINER = "OpenHands | Remove the container"
TAKE_SANDBOXES = "OpenHands | Remove its sandboxes"


def names(host: Host) -> list[str]:
    """Of all containers."""
    return sorted(host.run("docker ps --all --format {{.Names}}").stdout.split())


def empty_image(host: Host, name: str) -> None:
    """An image of this host's own, in which nothing is."""
    host.run(f"systemctl start docker && tar -c -T /dev/null | docker import - {name}")


def container(host: Host, name: str, image: str, words: str = "") -> str:
    """The id of a container that a person makes."""
    return host.run(f"docker create --name {name} {words} {image} true").stdout.strip()


def image_with_our_labels(field: Field) -> None:
    """A person commits our container, removes it, and has that image under its name."""
    host = field.host
    empty_image(host, "ours:1")
    container(host, NAME, "ours:1", "--label fleethands.spec=s --label fleethands.users='0:0 0:0'")
    _, ours = fleethands("plan", openhands_flavor=OFF)
    host.run(f"docker commit {NAME} theirs:1 && docker rm {NAME}")
    theirs = container(host, NAME, "theirs:1")

    _, refused = fleethands("plan")
    quiet = [fleethands(command, openhands_flavor=OFF) for command in ("plan", "apply")]
    code, done = fleethands("uninstall")

    assert TAKE_CONTAINER in changes(ours)  # these labels are what the version before wrote
    assert refused["hosts"]["lab-1"]["reason"] == f"a container named {NAME} is there that fleethands did not make"
    assert [(code, changes(said)) for code, said in quiet] == [(0, []), (0, [])]
    assert code == 0, trouble(done)
    assert host.run(f"docker inspect --format '{{{{.Id}}}}' {NAME}").stdout.strip() == theirs


def name_of_what_gave_way(field: Field) -> None:
    """A user has a container with the name of the previous container."""
    host = field.host
    ours, theirs = observe.identity(host).container, container(host, f"{NAME}-before", GUIDE)

    code, failed = fleethands("apply", "--no-rollback", openhands_env={"ANOTHER": "one"})

    assert code == 1
    assert failed["hosts"]["lab-1"]["reason"].endswith(f"a container named {NAME}-before is in the way")
    assert observe.identity(host).container == ours
    assert host.run(f"docker inspect --format '{{{{.Id}}}}' {NAME}-before").stdout.strip() == theirs


def image_under_a_pulled_name(field: Field) -> None:
    """A person commits their work under the name of an image that was pulled for us."""
    host = field.host
    host.run(f"echo 'image {GUIDE}' >> {LEDGER}")
    empty_image(host, GUIDE)

    code, done = fleethands("uninstall")

    assert code == 0, trouble(done)
    assert host.run("docker images --format '{{.Repository}}:{{.Tag}}'").stdout == f"{GUIDE}\n"


def sandboxes_of_another(field: Field) -> None:
    """Another OpenHands has sandboxes with the same name and the same image as the managed V1."""
    host = field.host
    empty_image(host, SANDBOX)
    host.run(f"echo 'sandbox {SANDBOX}' >> {LEDGER} && echo '0:0 /opt/openhands/workspace' > {WORKERS}")
    container(host, "oh-agent-server-ours", SANDBOX, "-v /opt/openhands/workspace:/workspace:rw -v /gone")
    container(host, "oh-agent-server-theirs", SANDBOX, "-v /srv/theirs:/workspace:rw -v /kept")
    container(host, "oh-agent-server-plain", SANDBOX)

    code, done = fleethands("apply", openhands_flavor=OFF)

    assert (code, changes(done)) == (0, [TAKE_SANDBOXES]), trouble(done)
    assert names(host) == ["oh-agent-server-plain", "oh-agent-server-theirs"]
    assert host.run("docker volume ls -q | wc -l").stdout == "1\n"


def sandboxes_beside_a_real_v1(field: Field) -> None:
    """The same, with the real V1: its own sandbox goes with it."""
    host = field.host
    sandbox_ports(host)
    (own,) = [name for name in names(host) if name.startswith("oh-agent-server-")]
    container(host, "oh-agent-server-theirs", SANDBOX, "-v /srv/theirs:/workspace:rw")

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

    code, refused = fleethands("rollback", openhands_flavor=OFF)

    assert (code, refused["hosts"]["lab-1"]["status"]) == (1, "refused")
    assert "got `/etc/ssh`, which belongs to the system" in refused["hosts"]["lab-1"]["reason"]
    assert host.run("stat -c '%U %a' /etc/ssh").stdout == before


ATTACKS: tuple[Attack, ...] = (
    Attack(
        "image-with-our-labels",
        Position.ACCOUNT,
        "commits the managed container, and runs that image under its name",
        "the container is foreign: plan refuses it, and neither apply nor uninstall removes it",
        image_with_our_labels,
        finding="L8",
    ),
    Attack(
        "name-of-a-kept-container",
        Position.ACCOUNT,
        "runs a container under the name that the previous container gets until the proof",
        "the managed container keeps running, and the foreign one is neither started, renamed nor removed",
        name_of_what_gave_way,
        state="converged",
    ),
    Attack(
        "image-under-a-pulled-name",
        Position.ACCOUNT,
        "commits an image under the name of one that fleethands pulled",
        "uninstall keeps an image that no registry has",
        image_under_a_pulled_name,
        slow=True,
    ),
    Attack(
        "sandboxes-of-another-openhands",
        Position.ACCOUNT,
        "runs a second OpenHands, whose sandboxes have the same names and the same image",
        "only sandboxes that work in a managed directory are removed",
        sandboxes_of_another,
        finding="L9",
    ),
    Attack(
        "sandboxes-beside-a-real-v1",
        Position.ACCOUNT,
        "runs a second OpenHands next to a managed V1",
        "V1's sandbox is removed with V1, the foreign one stays",
        sandboxes_beside_a_real_v1,
        finding="L9",
        state="v1",
        slow=True,
    ),
    Attack(
        "record-with-a-system-place",
        Position.ROOT,
        "writes /etc/ssh into the host's release record as the model store, and waits for a rollback",
        "the rollback is refused with the reason, and /etc/ssh is as it was",
        record_with_a_place_of_the_systems,
        finding="F14",
    ),
)
