"""Root on a host writes its own records, proofs, locks and answers, to read the controller's files or to stop a run."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from fleethands.paths import HOLD, PROOF, RECORD, RECORD_BEFORE
from fleethands.systemd import file_assignment
from tests.lab import fleet
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.fleet import fleethands
from tests.lab.host import Host
from tests.lab.many import QUIET, break_at

CANARY = "hunter2-of-the-controller"
VARIABLE = "LAB_CANARY"
BREAKS = "9m"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e"
# what a terminal acts on, as raw bytes of what was said
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
INVENTORY = """\
import runpy
from fleethands.settings import Secret
WANTED = {{"openhands_flavor": "off", "ollama_env": {{"OLLAMA_API_KEY": Secret.env({variable!r})}}}}
lab = [(name, {{**data, **WANTED}}) for name, data in runpy.run_path({lab!r})["lab"] if name == "lab-1"]
"""


def rewrite(host: Host, row: dict[str, Any] | None = None, **declared: Any) -> None:
    """Write another record in place of the host's own: other words of it, and other settings."""
    known = json.loads(host.run(f"cat {RECORD}").stdout)
    known = {**known, **(row or {}), "declared": {**known["declared"], **declared}}
    host.run(f"cat > {RECORD}", stdin=json.dumps(known))


def knows(host: Host, text: str) -> str:
    """Where on a host a text stands: in its files, and in what its Ollama was given."""
    places = "/etc/fleethands /etc/systemd /opt/ollama /usr/share/ollama /root /home"
    environ = "/proc/$(systemctl show ollama -p MainPID --value)/environ"
    return host.run(f"grep -rlaF {shlex.quote(text)} {places} {environ}", check=False).stdout


def said(command: str, *words: str, **data: Any) -> tuple[int, str]:
    """Exit code and all that a person sees of a command."""
    line = [command, "inventory/lab.py", "--hosts", "lab-1", *words, *fleet.with_data(**{**QUIET, **data})]
    return fleet.typed(shlex.join(["fleethands", *line]))


def is_refused(text: str, place: str) -> None:
    """The run ended with the reason and a command, and the place is named as one that was not read."""
    assert "Traceback" not in text, text
    assert f"names {place}" in text, text
    assert "which the inventory does not declare for this host: nothing of it was read" in text, text


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """A variable of the controller's, for the time of a `with`."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def record_reads_a_file(field: Field) -> None:
    canary = field.directory / "canary"
    canary.write_text(CANARY)
    place = {"secret": "file", "place": str(canary)}
    rewrite(field.host, ollama_env={"OLLAMA_API_KEY": place})
    break_at(field.host, BREAKS)

    code, text = said("apply", "--yes", ollama_keep_alive=BREAKS)  # it fails, and by default goes back

    assert code == 1
    assert knows(field.host, CANARY) == ""
    is_refused(text, f"Secret.file('{canary}') for `ollama_env.OLLAMA_API_KEY`")
    assert CANARY not in text


def record_reads_a_variable(field: Field) -> None:
    rewrite(field.host, ollama_env={"OLLAMA_API_KEY": {"secret": "env", "place": VARIABLE}})

    with variable(VARIABLE, CANARY):
        code, text = said("rollback", "--yes", "--to", "last")

        assert (code, knows(field.host, CANARY)) == (1, "")
        is_refused(text, f"Secret.env('{VARIABLE}') for `ollama_env.OLLAMA_API_KEY`")
        hint = re.search(r"hint: on this machine: (fleethands apply .*)", text)
        assert hint, text
        assert fleet.typed(f"{hint[1]} --yes")[0] == 0


def record_moves_a_secret(field: Field) -> None:
    """The inventory declares it for one variable; the record names it for another, which Ollama tells everybody."""
    inventory = field.directory / "fleet.py"
    inventory.write_text(INVENTORY.format(variable=VARIABLE, lab=str(fleet.ROOT / "inventory/lab.py")))
    rewrite(field.host, ollama_env={"HTTPS_PROXY": {"secret": "env", "place": VARIABLE}})

    with variable(VARIABLE, CANARY):
        code, text = fleet.typed(f"fleethands rollback {inventory} --yes --to last")

    assert (code, knows(field.host, CANARY)) == (1, "")
    is_refused(text, f"Secret.env('{VARIABLE}') for `ollama_env.HTTPS_PROXY`")


def record_reads_a_modelfile(field: Field) -> None:
    other = field.directory / "Modelfile-of-another-team"
    other.write_text(f"FROM codellama:7b\nSYSTEM {CANARY}\n")
    models = [{"name": "codellama:7b"}, {"name": "stolen:1", "modelfile": str(other)}]
    rewrite(field.host, models=models)

    code, text = said("rollback", "--yes", "--to", "last")

    assert (code, knows(field.host, CANARY)) == (1, "")
    is_refused(text, f"the file '{other}' for `models.1.modelfile`")


def record_sends_a_file(field: Field) -> None:
    """A release that lies on the controller, for others, in a directory that the record names."""
    place = field.directory / "v0.99.0"
    place.mkdir()
    archive = place / "ollama-linux-amd64.tar.zst"
    archive.write_text(CANARY)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (place / "sha256sum.txt").write_text(f"{digest}  ./{archive.name}\n")
    url = f"file://{field.directory}"
    rewrite(field.host, ollama_version="0.99.0", ollama_url=url, ollama_transfer="controller", ollama_sha256=digest)

    code, text = said("rollback", "--yes", "--to", "last")

    assert code == 1
    assert knows(field.host, CANARY) == ""
    assert str(field.directory) not in text
    assert "Traceback" not in text, text
    assert "https://github.com/ollama/ollama/releases/download/v0.99.0/" in text, text  # where the inventory says


def record_with_escapes(field: Field) -> None:
    words = dict.fromkeys(("by", "time", "run", "version", "revision"), ESCAPES)
    versions = {"ollama": ESCAPES, "models": {ESCAPES: ESCAPES}, "image": {"name": ESCAPES, "id": ESCAPES}}
    rewrite(field.host, {**words, "versions": versions}, ollama_keep_alive=ESCAPES, openhands_user=ESCAPES)

    shown = [said(*line)[1] for line in (("status",), ("rollback", "--yes", "--to", "last"))]
    stock = fleet.apply("lab-1", deploy="rollback.py", **QUIET, fleethands_back="last")

    for text in (stock.said, *shown):
        assert not ACTED_ON.findall(text), text
        assert "Traceback" not in text, text
    assert f"its record {RECORD} can't be read" in shown[-1], shown[-1]


def record_with_markup(field: Field) -> None:
    """As the library that draws the table reads it: a tag that is closed and was never opened ends it."""
    by = "[/x] [link=https://evil.example]ana[/link]"
    rewrite(field.host, {"by": by})

    code, text = said("status")

    assert "Traceback" not in text, text
    assert (code, by in text) == (0, True), text


KEYS = '{"schema": 1, "by": "", "time": "", "run": "", "version": "", "revision": "", "declared": '
RECORDS = {
    RECORD: KEYS + '{}, "versions": {"ollama": 1e999, "models": {}, "image": {}}}',
    RECORD_BEFORE: KEYS + '{"ollama_version": ["0.24.0"]}, "versions": {"ollama": "", "models": {}, "image": {}}}',
}


def record_that_is_a_bomb(field: Field) -> None:
    for path, text in RECORDS.items():
        field.host.run(f"cat > {path}", stdin=text)

    _is_planned(ollama_version="0.24.1")


def proof_that_is_a_bomb(field: Field) -> None:
    field.host.run(f"cat > {PROOF}", stdin=f"list\tok\t²\t{ESCAPES}\t{ESCAPES}\n")

    _is_planned()


def lock_that_is_a_bomb(field: Field) -> None:
    row = {**dict.fromkeys(("owner", "host", "run", "reason", "since"), ESCAPES), "pid": 0, "ended": False}
    field.host.run(f"cat > {HOLD}", stdin=json.dumps(row).replace('"pid": 0', '"pid": 1e999'))

    locks, plan = said_of_locks("status"), said("plan")

    assert locks[0] == 0
    assert "locked by somebody@the host itself" in locks[1], locks[1]
    for _, text in (locks, plan):
        assert not ACTED_ON.findall(text), text
        assert "Traceback" not in text, text


def said_of_locks(action: str) -> tuple[int, str]:
    return fleet.typed(f"fleethands lock {action} inventory/lab.py --hosts lab-1")


def _is_planned(**data: Any) -> None:
    """The host is planned, and every reader of JSON takes the report."""
    code, document = fleethands("plan", **{**QUIET, **data})
    assert code in (0, 2), document
    json.dumps(document, allow_nan=False)
    assert document["hosts"]["lab-1"]["status"] in {"unchanged", "pending"}, fleet.trouble(document)
    assert not ACTED_ON.findall(json.dumps(document, ensure_ascii=False))


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
    inventory = field.directory / "fleet.py"
    inventory.write_text(INVENTORY.format(variable=VARIABLE, lab=str(fleet.ROOT / "inventory/lab.py")))
    for ways in (quoted, [*encoded, VALUE.encode().hex()]):
        answer = shlex.quote(" ".join(ways))
        shim = f'#!/bin/sh\ncase $* in */api/generate*) echo {answer}; exit 22 ;; esac\nexec /usr/bin/curl "$@"\n'
        field.host.run("cat > /usr/local/sbin/curl && chmod 0755 /usr/local/sbin/curl", stdin=shim)

        with variable(VARIABLE, VALUE):
            code, text = fleet.typed(f"fleethands verify {inventory} --json")

        assert code == 1, text
        detail = json.loads(text[: text.rindex("}") + 1])["hosts"]["lab-1"]["proof"][-1]["detail"]
        assert detail.startswith("no answer to the prompt: "), detail
        assert detail.count("********") == len(ways), detail
        assert "hunter2" not in detail, detail


_rooted = partial(Attack, position=Position.ROOT)
PLACE = "no file and no variable of the controller reaches the host, and the run ends with the reason"
MOVES_NOTHING = "the host can be planned, and nothing that a terminal acts on is shown"
ATTACKS = (
    _rooted(
        name="record-reads-a-file",
        tries="names a file of the controller as a secret in the host's release record, and has the next apply fail",
        holds=PLACE,
        carry_out=record_reads_a_file,
        finding="F1",
    ),
    _rooted(
        name="record-reads-a-variable",
        tries="names an environment variable of the controller as a secret in the host's release record",
        holds=PLACE,
        carry_out=record_reads_a_variable,
        finding="F1",
    ),
    _rooted(
        name="record-moves-a-secret",
        tries="names a secret that the inventory declares for one variable as that of another one",
        holds=PLACE,
        carry_out=record_moves_a_secret,
    ),
    _rooted(
        name="record-reads-a-modelfile",
        tries="names a file of the controller as a Modelfile in the host's release record",
        holds=PLACE,
        carry_out=record_reads_a_modelfile,
        finding="F1",
    ),
    _rooted(
        name="record-sends-a-file",
        tries="has the controller send a release from a directory of its own that the record names",
        holds="the controller fetches from where the inventory says, and from nowhere else",
        carry_out=record_sends_a_file,
        finding="F1",
    ),
    _rooted(
        name="record-with-escapes",
        tries="puts terminal escapes into every field of the release record",
        holds=MOVES_NOTHING,
        carry_out=record_with_escapes,
    ),
    _rooted(
        name="record-with-markup",
        tries="writes tags into the record that the table of `fleethands status` would act on",
        holds="the table shows them as they are",
        carry_out=record_with_markup,
    ),
    _rooted(
        name="record-that-is-a-bomb",
        tries="writes a release record that no reader of JSON expects: nested deep, infinite, of other types",
        holds=MOVES_NOTHING,
        carry_out=record_that_is_a_bomb,
    ),
    _rooted(
        name="proof-that-is-a-bomb",
        tries="writes a proof whose times are no numbers, or numbers that are too large",
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
        tries="says a declared secret quoted, nested or encoded in an error",
        holds="no report and no terminal shows it",
        carry_out=host_says_a_secret_otherwise,
        finding="L3",
    ),
)
