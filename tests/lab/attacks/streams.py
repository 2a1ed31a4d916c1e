"""Output and files that should make a host unmanageable, or harm the program that reads them."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from typing import Any

from fleethands.facts.framing import SECTIONS
from tests.lab import fleet, observe
from tests.lab.asking import probed
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.flavors import CANVAS, V1
from tests.lab.fleet import fleethands
from tests.lab.host import Host
from tests.lab.many import QUIET
from tests.lab.measured import MOST, measured
from tests.lab.tunnels import tunnel, tunnel_on_a_terminal

SECONDS = 60  # in which a plan is made, however much an account has left lying about
STATE = "/opt/openhands/state"
SETTINGS = f"{STATE}/settings.json"
MANIFESTS = "/usr/share/ollama/.ollama/models/manifests"
MODEL = f"{MANIFESTS}/registry.ollama.ai/library"
# the file is now this, now that, as fast as a shell can
GROWING = f"while :; do echo '{{}}' > {SETTINGS}; echo more >> {SETTINGS}; done"
FIRST, SECOND = "echo '{}' > file; mv file settings.json", "ln fifo a; mv a settings.json"
SWAPPING = f"cd {STATE}; mkfifo fifo; while :; do {FIRST}; {SECOND}; done"
STRAY = f"""
cd {MANIFESTS}
echo x > stray; mkdir -p a/b/c/d/e "$(printf 'odd\\nname')/b/c" "$(printf '\\377')/b/c"; echo x > a/b/c/d/e/f
echo x > "$(printf 'odd\\nname')/b/c/d"; echo x > "$(printf '\\377')/b/c/d"
mkfifo a/b/c/fifo; ln -s /etc/shadow a/b/c/link; truncate -s 1T a/b/c/endless
mkdir many; cd many; seq 10000 | xargs touch
"""
DOCKER = """#!/bin/sh
case $1 in ps) echo 1 ;; inspect) echo '%s 5432 99999 x' ;; events) sleep 60 ;; esac
"""
SYSTEMCTL = r"""#!/bin/sh
case $1 in restart) printf '\377\376 no\n\377' >&2; exit 1 ;; esac
exec /usr/bin/systemctl "$@"
"""
LISTENING = r"""
use Socket; socket(S, PF_INET, SOCK_STREAM, 0) or die; bind(S, pack_sockaddr_in(3000, inet_aton("127.0.0.2"))) or die;
listen(S, 5); $0 = "a\n\"),))b"; fork for 1 .. 6; sleep 600
"""


def agent(host: Host) -> str:
    """The account that owns OpenHands' state; the state is there."""
    host.run(f"useradd -r -m agent; install -d -m 0700 -o agent -g agent {STATE}")
    return "agent"


def as_user(user: str, command: str) -> str:
    """The prefix that runs a command as another user."""
    return f"setpriv --reuid {user} --regid {user} --clear-groups sh -c {shlex.quote(command)}"


def beside(host: Host, user: str, command: str) -> None:
    """It continues until the host is restored."""
    host.run(f"setsid {as_user(user, command)} </dev/null >/dev/null 2>&1 &")


def managed(**data: Any) -> dict[str, Any]:
    """The plan succeeds. Returns its report of the host."""
    begin = time.monotonic()
    code, document = fleethands("plan", **data)
    assert time.monotonic() - begin < SECONDS
    assert code in {0, 2}, fleet.trouble(document)
    return dict(document["hosts"]["lab-1"])


def leave_odd_settings(field: Field) -> None:
    user = agent(field.host)
    odd = [
        f"ln -s \"$(printf '/x\\377')\" {SETTINGS}",
        f"yes [ | tr -d '\\n' | head -c 60000 > {SETTINGS}",
        f"printf '\\377' > {SETTINGS}",
        f"mkfifo {SETTINGS}",
        f'echo \'{{"agent_settings": "x", "llm_model": "\\ud800"}}\' > {SETTINGS}',
    ]
    for each in odd:
        field.host.run(as_user(user, f"rm -f {SETTINGS}; {each}"))
        assert probed(field.host).knows("files")
    assert managed()["status"] == "pending"


def keep_settings_in_motion(field: Field) -> None:
    user = agent(field.host)
    for command in (GROWING, SWAPPING):
        beside(field.host, user, command)
        for _ in range(field.rounds):
            begin = time.monotonic()
            seen = probed(field.host)
            assert all(seen.knows(section) for section in SECTIONS), seen.to_json()
            assert time.monotonic() - begin < 30
        field.host.run(f"pkill -KILL -u {user}; rm -f {SETTINGS}")


def leave_stray_manifests(field: Field) -> None:
    field.host.run(as_user("ollama", STRAY))

    assert managed(**QUIET)["status"] == "unchanged"
    assert set(probed(field.host).models) >= {"codellama:7b"}


def listen_under_an_odd_name(field: Field) -> None:
    beside(field.host, "daemon", f"exec perl -e {shlex.quote(LISTENING)}")
    field.host.run("until ss -Hltn | grep -q 127.0.0.2:3000; do sleep 0.1; done")

    assert managed(**QUIET)["status"] == "unchanged"
    assert {each.address for each in probed(field.host).sockets if each.port == 3000} == {"127.0.0.2"}


def talk_for_ever(field: Field) -> None:
    field.host.run("sed -i '1i [ ! -e /run/talk ] || exec yes' /root/.bashrc; touch /run/talk")

    told = measured("plan", "inventory/lab.py", "--hosts", "lab-1", **QUIET)

    assert told.code == 1
    assert told.document["hosts"]["lab-1"]["reason"] == "it sent more than 100000 lines, and was given up"
    assert told.memory < MOST, told.memory >> 20


def fail_in_bytes(field: Field) -> None:
    place = "/usr/local/sbin/systemctl"
    field.host.run(f"cat > {place} && chmod 755 {place}", stdin=SYSTEMCTL)

    words = ("--no-rollback", "--yes", "--hosts", "lab-1")
    told = measured("apply", "inventory/lab.py", *words, ollama_keep_alive="2m", **QUIET)

    host = told.document["hosts"]["lab-1"]
    assert host["status"] == "failed"
    assert host["reason"].startswith("Ollama | Serve this revision: "), host
    assert "see its log" not in host["reason"]
    assert host["hints"]
    assert "\ufffd\ufffd no" in host["log"], host
    assert "Traceback" not in told.said


def name_other_ports(field: Field) -> None:
    port = next(number for number in range(45000, 60000) if not observe.reachable("127.0.0.1", number, 1))
    place = "/usr/local/sbin/docker"
    field.host.run(f"cat > {place} && chmod 755 {place}", stdin=DOCKER % port)

    with tunnel("lab-1", *fleet.with_data(**V1)) as (_, process):
        end = time.monotonic() + 20
        while not observe.reachable("127.0.0.1", port, 1):
            assert time.monotonic() < end
            time.sleep(0.1)
        held = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        ours = {int(found) for found in re.findall(rf":(\d+) +\S+ +users:\(\(.*pid={process.pid},", held)}

    assert port in ours
    assert 5432 not in ours


def write_a_key_that_is_none(field: Field) -> None:
    escape = r"printf 'LOCAL_BACKEND_API_KEY=\033]0;owned\a\033[2Jowned\n' > /etc/fleethands/canvas.env"
    field.host.run(f"mkdir -p /etc/fleethands; {escape}")

    command = [str(fleet.FLEETHANDS), "tunnel", "lab-1", *fleet.with_data(**CANVAS)]
    done = subprocess.run(
        ["script", "-qec", shlex.join(command), "/dev/null"],
        cwd=fleet.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1, done.stdout
    assert "error: lab-1 gives no key for its page" in done.stdout
    assert "owned" not in done.stdout
    field.host.run("printf 'LOCAL_BACKEND_API_KEY=%064d\\n' 7 > /etc/fleethands/canvas.env")
    with tunnel_on_a_terminal("lab-1", *fleet.with_data(**CANVAS)) as (_, key):
        assert key == f"{7:064d}"


ATTACKS = (
    Attack(
        "odd-settings", Position.AGENT, "leaves a symlink that is not UTF-8, endless JSON or a FIFO as its settings",
        "every plan is complete, and no host is refused", leave_odd_settings, finding="F7",
    ),
    Attack(
        "settings-in-motion", Position.AGENT, "writes its settings while they are read, or replaces them with a FIFO",
        "each probe is complete, and takes no longer", keep_settings_in_motion, finding="L12", race=True,
    ),
    Attack(
        "stray-manifests", Position.ACCOUNT, "as Ollama's user leaves odd names, a FIFO, a file of 1 TiB and 10000 "
        "more among the manifests", "the plan is complete in time, and lists the real models",
        leave_stray_manifests, finding="F7",
    ),
    Attack(
        "odd-process", Position.ACCOUNT, "listens on OpenHands' port under a name with line breaks, many times over",
        "the plan is complete, and names the listener", listen_under_an_odd_name,
    ),
    Attack(
        "talks-for-ever", Position.ROOT, "makes its shell print endless output",
        "fleethands stops working on the host, names the reason and uses little memory", talk_for_ever, finding="F8",
    ),
    Attack(
        "output-not-utf-8", Position.ROOT, "makes a tool print bytes that are not UTF-8, then fail",
        "the reason and the hint after them arrive, without a traceback", fail_in_bytes, finding="F9",
    ),
    Attack(
        "sandbox-ports", Position.ROOT, "names a database's port as a sandbox's port",
        "the tunnel opens only ports that a sandbox may have, and continues", name_other_ports, finding="F10",
    ),
    Attack(
        "canvas-key", Position.ROOT, "puts terminal escapes in the place of the page's key",
        "none of it is shown, and the error says so", write_a_key_that_is_none, finding="F11",
    ),
)  # fmt: skip
