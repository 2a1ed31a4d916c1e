"""Attacks by registries, mirrors and git repositories, and by host keys that known_hosts files revoke."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.internet import release
from tests.lab.internet.faults import Fault
from tests.lab.project import Done, Project
from tests.lab.shell import run

MODEL: dict[str, Any] = {"models": ["codellama:7b", "padded"], "openhands_flavor": "off"}
NEWER: dict[str, Any] = {"ollama_version": "0.24.1", "models": ["codellama:7b"], "openhands_flavor": "off"}
REPOSITORY: dict[str, Any] = {
    "openhands_flavor": "source",
    "openhands_repo": "https://github.com/OpenHands/OpenHands",
    "openhands_ref": "main",
    "openhands_pull": "always",
}
KEY = "/etc/ssh/ssh_host_ed25519_key.pub"


def project(field: Field, **data: Any) -> Project:
    """A controller that finds the lab's internet by its names, and the host."""
    return Project.laid(field.lab, field.directory / "boxes", field.host.name, **data)


def host_report(field: Field, done: Done) -> dict[str, Any]:
    """What a command's document has of the host."""
    assert "Traceback" not in done.err, done.err
    found: dict[str, Any] = done.document["hosts"][field.host.name]
    return found


def still_serves(field: Field) -> None:
    assert "0.24.0" in field.host.run("curl -fsS localhost:11434/api/version").stdout
    assert field.host.run("find /run/fleethands /opt/ollama -name '*.part' -o -name .incoming").stdout == ""


def manifest(field: Field, size: str) -> str:
    """The true manifest with another size of its first blob."""
    found = field.lab.internet.registry.manifest("library/padded", "latest")
    assert found is not None
    return re.sub(r'"size": ?\d+', f'"size":{size}', found.decode(), count=1)


def unanswered(field: Field, reason: str, *faults: tuple[Fault, str]) -> None:
    """A plan continues without the answer, and nothing is pinned."""
    boxes = project(field, **MODEL)
    with ExitStack() as stack:
        for fault, where in faults:
            stack.enter_context(field.lab.internet.fault(fault, where))
        planned = boxes.fleethands("plan", "--upstream", "--json")
        pinned = boxes.fleethands("pin", "--only", "padded")

    (change,) = [each for each in host_report(field, planned)["changes"] if each["task"] == "Models"]
    assert (planned.code, f"warning: padded:latest: {reason}" in planned.err) == (2, True), planned.err
    assert "its source did not tell the size" in change["consequence"]
    assert (pinned.code, boxes.lockfile.exists()) == (1, False)
    assert pinned.err.startswith(f"error: padded:latest: {reason}"), pinned.err


def a_size_beyond_all_numbers(field: Field) -> None:
    reason = "registry.ollama.ai sent something that is not a manifest"
    unanswered(field, reason, (Fault(says=manifest(field, "1e999")), "manifest:padded"))


def a_token_that_is_nested_deep(field: Field) -> None:
    refused = Fault(status=401, realm="https://registry.ollama.ai/v2/token")
    nested = Fault(says='{"token":' + "[" * 60_000)
    unanswered(field, "registry.ollama.ai: nested too deep", (refused, "manifest:padded"), (nested, "/v2/token"))


def an_endless_manifest(field: Field) -> None:
    begun = time.monotonic()
    with field.lab.internet.fault(Fault(endless=True), "manifest:padded"):
        code, done = fleet.fleethands("apply", **MODEL)

    assert code == 1
    reason = done["hosts"]["lab-1"]["reason"]
    assert "the registry sends more than 64 KiB as manifest of padded:latest" in reason
    assert time.monotonic() - begun < 60
    still_serves(field)


def a_size_that_a_shell_reads_as_octal(field: Field) -> None:
    """The probe and the unit that pulls ask once each; Ollama itself then gets the true one."""
    with field.lab.internet.fault(Fault(says=manifest(field, "08"), times=3), "manifest:padded"):
        code, done = fleet.fleethands("apply", **MODEL)

    assert code == 0, fleet.trouble(done)
    assert "padded:latest" in field.host.run("ollama list").stdout


def a_digest_that_is_a_path(field: Field) -> None:
    boxes = project(field, **NEWER, ollama_transfer="controller")
    text = f"{field.directory}/escaped  ./{release.archive_name()}\n"
    with field.lab.internet.fault(Fault(says=text), "checksum:0.24.1"):
        applied = boxes.fleethands("apply", "--yes", "--json")

    assert list(field.directory.glob("escaped*")) == []
    assert applied.code == 1
    assert f"sha256sum.txt names no {release.archive_name()}" in host_report(field, applied)["reason"], applied.out
    still_serves(field)


@contextmanager
def plain_server(address: str) -> Iterator[tuple[str, list[str]]]:
    """An address without TLS, and who asked there for what."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Not logged."""

    with ThreadingHTTPServer((address, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://{address}:{server.server_port}/x", heard
        server.shutdown()


def a_way_to_plain_http(field: Field) -> None:
    boxes = project(field, **NEWER)
    with (
        plain_server(field.lab.internet.address) as (address, heard),
        field.lab.internet.fault(Fault(leads=address), "checksum:0.24.1"),
    ):
        field.host.run(f"curl -fsS {address} || test $? -eq 22")  # there is a way to it
        assert heard == ["/x"]
        applied = boxes.fleethands("apply", "--yes", "--json")
        pinned = boxes.fleethands("pin", "--only", "0.24.1")

    assert heard == ["/x"]
    assert "sha256sum.txt" in host_report(field, applied)["reason"]
    assert "error: Ollama 0.24.1: github.com: it leads from https to http" in pinned.err
    still_serves(field)


def another_archive_with_its_checksum(field: Field) -> None:
    """The pin is of the true one."""
    content = (release.place() / "v0.24.1" / release.archive_name()).read_bytes()
    spoilt = bytearray(content)
    spoilt[len(content) // 2] ^= 1
    listed = f"{hashlib.sha256(spoilt).hexdigest()}  ./{release.archive_name()}\n"
    faults = field.lab.internet.fault
    with faults(Fault(flip=True), "archive:0.24.1"), faults(Fault(says=listed), "checksum:0.24.1"):
        code, done = fleet.fleethands("apply", **NEWER, ollama_sha256=hashlib.sha256(content).hexdigest())

    assert code == 1
    assert "is not what was expected: expected sha256" in done["hosts"]["lab-1"]["reason"]
    still_serves(field)


def known_hosts(field: Field, *lines: str) -> Path:
    path = field.directory / "known_hosts"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def key(field: Field) -> str:
    """Type and key, as known_hosts has them."""
    return " ".join(field.host.run(f"cat {KEY}").stdout.split()[:2])


def with_keys(command: str, path: Path, *words: str) -> tuple[int, str]:
    line = f"fleethands {command} inventory/lab.py --hosts lab-1 --data ssh_known_hosts_file={path} {' '.join(words)}"
    return fleet.typed(f"{line} --data openhands_flavor=off")


def a_revoked_host_key(field: Field) -> None:
    path = known_hosts(field, f"@revoked * {key(field)}", f"{field.host.address} {key(field)}")
    before = path.read_text()

    for command, words in (("trust", ["--yes"]), ("plan", [])):
        code, said = with_keys(command, path, *words)
        assert code == 1, said
        assert f"its host key is revoked: line 1 of {path}" in said

    assert path.read_text() == before


def a_certificate_of_another_host(field: Field) -> None:
    key, host = field.directory / "authority", field.host
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
    path = known_hosts(field, f"@cert-authority * {key.with_suffix('.pub').read_text().strip()}")
    own = field.directory / "host.pub"
    own.write_text(host.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout)

    def plan_with(name: str) -> tuple[int, str]:
        run("ssh-keygen", "-q", "-s", key, "-I", name, "-h", "-n", name, own)
        shown = "/etc/ssh/ssh_host_ed25519_key-cert.pub"
        host.run(f"cat > {shown}", stdin=own.with_name("host-cert.pub").read_text())
        host.run(f"echo HostCertificate {shown} > /etc/ssh/sshd_config.d/lab.conf; systemctl restart ssh")
        return with_keys("plan", path)

    code, said = plan_with("elsewhere")
    assert code == 1, said
    assert f"its certificate is for elsewhere, and not for {host.address} (line 1 of {path})" in said
    code, said = plan_with(host.address)
    assert code in {0, 2}, said


def a_git_server_without_end(field: Field) -> None:
    """A host that has it built asks whether its branch moved."""
    boxes = project(field, **REPOSITORY)
    with field.host.outward():
        field.host.run("apt-get -qq update && apt-get -qq install --no-install-recommends git", timeout=300)
    name = hashlib.sha256(f"{REPOSITORY['openhands_repo']}\0main".encode()).hexdigest()[:12]
    marker = f"/opt/openhands-source/git-{name}/.fleethands"
    field.host.run(f"mkdir -p $(dirname {marker}) && echo built {'a' * 40} >{marker}")
    begun = time.monotonic()
    with field.lab.internet.fault(Fault(endless=True), "git:OpenHands/OpenHands"):
        planned = boxes.fleethands("plan", "--json")
    took = time.monotonic() - begun

    (offer,) = [each for each in host_report(field, planned)["facts"]["upstream"]["offers"] if each["kind"] == "commit"]
    assert (planned.code, offer["state"], offer["digest"]) == (2, "unknown", None), offer
    assert took < 60


ATTACKS = (
    Attack(
        "manifest-with-1e999", Position.REGISTRY, "gives a blob the size 1e999",
        "plan --upstream and pin report that it is no manifest, and the host stays readable",
        a_size_beyond_all_numbers, "L1",
    ),
    Attack(
        "token-nested-deep", Position.REGISTRY, "asks for a token, and sends one in 60,000 opening brackets",
        "plan --upstream and pin report no answer, and the host stays readable",
        a_token_that_is_nested_deep, "L1", slow=True,
    ),
    Attack(
        "endless-chunked-manifest", Position.REGISTRY, "sends an endless manifest without a length",
        "the host reads at most 64 KiB of it, the pull fails with the reason, and Ollama is never asked to pull",
        an_endless_manifest, "L10",
    ),
    Attack(
        "size-08", Position.REGISTRY, "gives a blob the size 08, which shells read as octal",
        "the pull succeeds",
        a_size_that_a_shell_reads_as_octal, "L10", slow=True,
    ),
    Attack(
        "digest-that-is-a-path", Position.MIRROR, "writes a path of the controller as a digest into its sha256sum.txt",
        "the list counts as one without the archive, and no file is written there",
        a_digest_that_is_a_path, "L2",
    ),
    Attack(
        "redirect-to-plain-http", Position.MIRROR, "redirects from https to an address without TLS",
        "neither the host nor the controller follows",
        a_way_to_plain_http, "L5",
    ),
    Attack(
        "another-archive-with-its-checksum", Position.MIRROR, "replaces an archive and its line in sha256sum.txt",
        "a pinned archive is refused before it is unpacked, and the previous Ollama keeps running",
        another_archive_with_its_checksum, "L5", slow=True,
    ),
    Attack(
        "revoked-host-key", Position.NEIGHBOUR, "presents a host key that known_hosts revokes",
        "trust does not add it, a run does not connect, and both name the line that revokes it",
        a_revoked_host_key, "F13", state="clean",
    ),
    Attack(
        "certificate-of-another-host", Position.NEIGHBOUR,
        "presents a certificate of the right authority for another host",
        "a run does not connect, and names that host and the authority; with its own certificate it connects",
        a_certificate_of_another_host, "F13", state="clean",
    ),
    Attack(
        "git-that-talks-for-ever", Position.REPOSITORY, "lists endless refs",
        "the plan is complete within its time, as if the repository had not answered",
        a_git_server_without_end, slow=True,
    ),
)  # fmt: skip
