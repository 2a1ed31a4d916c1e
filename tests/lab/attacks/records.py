"""Root on a host writes its own release record, to read the controller's files or to stop a run."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from functools import partial
from typing import Any

from fleethands.paths import CURRENT_RECORD, PREVIOUS_RECORD
from tests.lab import fleet
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.attacks.hostile_host import ACTED_ON, CANARY, ESCAPES, VARIABLE, inventory, is_planned, said, variable
from tests.lab.host import Host
from tests.lab.many import QUIET, break_at

BREAKS = "9m"


def rewrite(host: Host, row: dict[str, Any] | None = None, **declared: Any) -> None:
    """Write another record in place of the host's own: other words of it, and other settings."""
    known = json.loads(host.run(f"cat {CURRENT_RECORD}").stdout)
    known = {**known, **(row or {}), "declared": {**known["declared"], **declared}}
    host.run(f"cat > {CURRENT_RECORD}", stdin=json.dumps(known))


def knows(host: Host, text: str) -> str:
    """Where a text is on a host: in its files, and in Ollama's requests."""
    places = "/etc/fleethands /etc/systemd /opt/ollama /usr/share/ollama /root /home"
    environ = "/proc/$(systemctl show ollama -p MainPID --value)/environ"
    return host.run(f"grep -rlaF {shlex.quote(text)} {places} {environ}", check=False).stdout


def is_refused(text: str, place: str) -> None:
    """The run ended with the reason and a command, and the place is named as one that was not read."""
    assert "Traceback" not in text, text
    assert f"names {place}" in text, text
    assert "which the inventory does not declare for this host: nothing of it was read" in text, text


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
        code, text = said("rollback", "--yes", "--to", "current")

        assert (code, knows(field.host, CANARY)) == (1, "")
        is_refused(text, f"Secret.env('{VARIABLE}') for `ollama_env.OLLAMA_API_KEY`")
        hint = re.search(r"hint: on this machine: (fleethands apply .*)", text)
        assert hint, text
        assert fleet.typed(f"{hint[1]} --yes")[0] == 0


def record_moves_a_secret(field: Field) -> None:
    """The inventory declares it for one variable; the record names it for another, which Ollama tells everybody."""
    rewrite(field.host, ollama_env={"HTTPS_PROXY": {"secret": "env", "place": VARIABLE}})

    with variable(VARIABLE, CANARY):
        code, text = fleet.typed(f"fleethands rollback {inventory(field)} --yes --to current")

    assert (code, knows(field.host, CANARY)) == (1, "")
    is_refused(text, f"Secret.env('{VARIABLE}') for `ollama_env.HTTPS_PROXY`")


def record_reads_a_modelfile(field: Field) -> None:
    other = field.directory / "Modelfile-of-another-team"
    other.write_text(f"FROM codellama:7b\nSYSTEM {CANARY}\n")
    models = [{"name": "codellama:7b"}, {"name": "stolen:1", "modelfile": str(other)}]
    rewrite(field.host, models=models)

    code, text = said("rollback", "--yes", "--to", "current")

    assert (code, knows(field.host, CANARY)) == (1, "")
    is_refused(text, f"the file '{other}' for `models.1.modelfile`")


def record_sends_a_file(field: Field) -> None:
    """The record names a directory of the controller that has a release."""
    place = field.directory / "v0.99.0"
    place.mkdir()
    archive = place / "ollama-linux-amd64.tar.zst"
    archive.write_text(CANARY)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (place / "sha256sum.txt").write_text(f"{digest}  ./{archive.name}\n")
    url = f"file://{field.directory}"
    rewrite(field.host, ollama_version="0.99.0", ollama_url=url, ollama_transfer="controller", ollama_sha256=digest)

    code, text = said("rollback", "--yes", "--to", "current")

    assert code == 1
    assert knows(field.host, CANARY) == ""
    assert str(field.directory) not in text
    assert "Traceback" not in text, text
    assert "https://github.com/ollama/ollama/releases/download/v0.99.0/" in text, text  # where the inventory says


def record_with_escapes(field: Field) -> None:
    words = dict.fromkeys(("by", "time", "run", "version", "revision"), ESCAPES)
    versions = {"ollama": ESCAPES, "models": {ESCAPES: ESCAPES}, "image": {"name": ESCAPES, "id": ESCAPES}}
    rewrite(field.host, {**words, "versions": versions}, ollama_keep_alive=ESCAPES, openhands_user=ESCAPES)

    shown = [said(*line)[1] for line in (("status",), ("rollback", "--yes", "--to", "current"))]
    stock = fleet.apply("lab-1", deploy="rollback.py", **QUIET, fleethands_rollback_to="current")

    for text in (stock.said, *shown):
        assert not ACTED_ON.findall(text), text
        assert "Traceback" not in text, text
    assert f"its record {CURRENT_RECORD} can't be read" in shown[-1], shown[-1]


def record_with_markup(field: Field) -> None:
    """As the library that draws the table reads it: a tag that is closed and was never opened ends it."""
    by = "[/x] [link=https://evil.example]ana[/link]"
    rewrite(field.host, {"by": by})

    code, text = said("status")

    assert "Traceback" not in text, text
    assert (code, by in text) == (0, True), text


KEYS = '{"schema": 1, "by": "", "time": "", "run": "", "version": "", "revision": "", "declared": '
RECORDS = {
    CURRENT_RECORD: KEYS + '{}, "versions": {"ollama": 1e999, "models": {}, "image": {}}}',
    PREVIOUS_RECORD: KEYS + '{"ollama_version": ["0.24.0"]}, "versions": {"ollama": "", "models": {}, "image": {}}}',
}


def record_that_is_a_bomb(field: Field) -> None:
    for path, text in RECORDS.items():
        field.host.run(f"cat > {path}", stdin=text)

    is_planned(ollama_version="0.24.1")


_rooted = partial(Attack, position=Position.ROOT)
PLACE = "no file and no variable of the controller reaches the host, and the run fails with the reason"
MOVES_NOTHING = "the host can be planned, and no terminal escape is shown"
ATTACKS = (
    _rooted(
        name="record-reads-a-file",
        tries="names a file of the controller as a secret in the host's release record, and makes the next apply fail",
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
        tries="names a secret that the inventory declares for one variable as the secret of another",
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
        tries="names a directory of the controller in the record, from which the controller should send a release",
        holds="the controller downloads from where the inventory says, and from nowhere else",
        carry_out=record_sends_a_file,
        finding="F1",
    ),
    _rooted(
        name="record-with-escapes",
        tries="puts terminal escapes into every field of the release record",
        holds=MOVES_NOTHING,
        carry_out=record_with_escapes,
        slow=True,
    ),
    _rooted(
        name="record-with-markup",
        tries="writes markup into the record that the table of `fleethands status` would interpret",
        holds="the table shows them as they are",
        carry_out=record_with_markup,
    ),
    _rooted(
        name="record-that-is-a-bomb",
        tries="writes a release record that no JSON parser expects: deeply nested, infinite, with other types",
        holds=MOVES_NOTHING,
        carry_out=record_that_is_a_bomb,
    ),
)
