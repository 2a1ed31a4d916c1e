"""Root on a host, and accounts on it, leave proofs, locks, files and answers that a run reads or shows."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from functools import partial

from fleethands.paths import MANUAL_LOCK, PROOF
from fleethands.text.systemd import file_assignment
from tests.lab import fleet
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.attacks.hostile_host import ACTED_ON, CANARY, ESCAPES, VARIABLE, inventory, is_planned, said, variable
from tests.lab.fleet import fleethands
from tests.lab.many import QUIET


def proof_that_is_a_bomb(field: Field) -> None:
    field.host.run(f"cat > {PROOF}", stdin=f"list\tok\t²\t{ESCAPES}\t{ESCAPES}\n")

    is_planned()


def lock_that_is_a_bomb(field: Field) -> None:
    row = {**dict.fromkeys(("owner", "host", "run", "reason", "since"), ESCAPES), "pid": 0, "ended": False}
    field.host.run(f"cat > {MANUAL_LOCK}", stdin=json.dumps(row).replace('"pid": 0', '"pid": 1e999'))

    locks, plan = said_of_locks("status"), said("plan")

    assert locks[0] == 0
    assert "locked by unknown@the host itself" in locks[1], locks[1]
    for _, text in (locks, plan):
        assert not ACTED_ON.findall(text), text
        assert "Traceback" not in text, text


def said_of_locks(action: str) -> tuple[int, str]:
    return fleet.typed(f"fleethands lock {action} inventory/lab.py --hosts lab-1")


def report_tells_of_a_foreign_file(field: Field) -> None:
    """With its digest one could try out a short secret; its size says how long it is."""
    text = f"COMPANY={CANARY}\n"
    field.host.run("umask 077; cat > /etc/company.env", stdin=text)
    drop_in = "/etc/systemd/system/ollama.service.d/90-company.conf"
    field.host.run(f"umask 077; cat > {drop_in}", stdin="[Service]\nEnvironmentFile=/etc/company.env\n")

    code, document = fleethands("plan", **QUIET)

    assert code == 2, document  # systemd has not read it yet
    facts = document["hosts"]["lab-1"]["facts"]["service"]
    named = {each["path"]: each["content"] for each in (*facts["units"], *facts["files"])}
    assert {path: named[path] for path in (drop_in, "/etc/company.env")} == {drop_in: None, "/etc/company.env": None}
    assert hashlib.sha256(text.encode()).hexdigest() not in json.dumps(document)


VALUE = 'hunter2\'s $HOME `id` "x" \\ end'


def host_says_a_secret_otherwise(field: Field) -> None:
    """A program of the host's, whose failure is shown, writes a declared secret as shells, systemd and base64 do."""
    once = json.dumps({"key": VALUE})
    quoted = [shlex.quote(VALUE), file_assignment("KEY", VALUE), json.dumps(once)]
    encoded = [base64.b64encode(b"x" * before + VALUE.encode()).decode() for before in range(3)]
    for ways in (quoted, [*encoded, VALUE.encode().hex()]):
        answer = shlex.quote(" ".join(ways))
        shim = f'#!/bin/sh\ncase $* in */api/generate*) echo {answer}; exit 22 ;; esac\nexec /usr/bin/curl "$@"\n'
        field.host.run("cat > /usr/local/sbin/curl && chmod 0755 /usr/local/sbin/curl", stdin=shim)

        with variable(VARIABLE, VALUE):
            code, text = fleet.typed(f"fleethands verify {inventory(field)} --json")

        assert code == 1, text
        detail = json.loads(text[: text.rindex("}") + 1])["hosts"]["lab-1"]["proof"][-1]["detail"]
        assert detail.startswith("no answer to the prompt: "), detail
        assert detail.count("********") == len(ways), detail
        assert "hunter2" not in detail, detail


_rooted = partial(Attack, position=Position.ROOT)
MOVES_NOTHING = "the host can be planned, and no terminal escape is shown"
ATTACKS = (
    _rooted(
        name="proof-that-is-a-bomb",
        tries="writes a proof whose times are not numbers, or too large",
        holds=MOVES_NOTHING,
        carry_out=proof_that_is_a_bomb,
    ),
    _rooted(
        name="lock-that-is-a-bomb",
        tries="holds a lock whose text is terminal escapes and whose process id is infinite",
        holds=MOVES_NOTHING,
        carry_out=lock_that_is_a_bomb,
    ),
    Attack(
        "report-tells-of-a-foreign-file",
        Position.ACCOUNT,
        tries="looks in a report for the digest of an EnvironmentFile that only root may read",
        holds="reports have neither size nor digest of it",
        carry_out=report_tells_of_a_foreign_file,
        finding="L4",
    ),
    _rooted(
        name="host-says-a-secret-otherwise",
        tries="prints a declared secret quoted, nested or encoded in an error",
        holds="no report and no terminal shows it",
        carry_out=host_says_a_secret_otherwise,
        finding="L3",
    ),
)
