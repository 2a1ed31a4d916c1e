"""An Ollama elsewhere: lab-2 serves it, and lab-1 uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import observe
from tests.lab.flavors import CANVAS
from tests.lab.fleet import changes, fleethands, trouble, typed
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.test_adoption import blobs, install
from tests.lab.test_uninstall import listing
from tests.lab.tunnels import get, tunnel

STATE = "serving-others"
PROOF, AWAY = "Proof | Get an answer to a prompt", "Ollama | Remove the managed Ollama"
NONE = ("/usr/local/bin/ollama", "/opt/ollama", "/etc/systemd/system/ollama.service", "/etc/fleethands/firewall.nft")
DROP_IN = "/etc/systemd/system/ollama.service.d/zz.conf"
THEIRS = "on that server, where systemd runs its Ollama: "


@pytest.fixture(scope="module")
def server_state(lab: Lab, quiet_state: str) -> Iterator[str]:
    """Ollama on lab-2, whose firewall lets lab-1 in."""
    lab["lab-2"].restore(quiet_state)
    allowed = [lab["lab-1"].address, lab["lab-1"].address6]
    code, done = fleethands("apply", hosts="lab-2", fleethands_verify="never", allow_from=allowed, **QUIET)
    assert code == 0, trouble(done, "lab-2")
    lab["lab-2"].save(STATE)
    yield STATE
    lab.drop_state(STATE)


@pytest.fixture
def server(lab: Lab, server_state: str) -> Host:
    lab["lab-2"].restore(server_state)
    return lab["lab-2"]


def external_data(server: Host, **more: Any) -> dict[str, Any]:
    return {"ollama_runtime": "external", "ollama_address": f"http://{server.address}:11434", **more}


def type_in(hints: list[str], host: Host, server: Host) -> None:
    """Type the first hint where it says. Each works as it is printed."""
    place, _, command = hints[0].partition(": ")
    (server if "that server" in place else host).run(command, timeout=120)


def is_empty(**data: Any) -> bool:
    code, done = fleethands("plan", **data)
    return (code, changes(done), done["hosts"]["lab-1"]["remote_commands"]) == (0, [], 1)


def test_a_clean_host_uses_it_and_nothing_of_ollama_is_put_there(server: Host, clean: Host) -> None:
    data = external_data(server, **QUIET)

    code, done = fleethands("apply", **data)

    assert code == 0, trouble(done)
    assert changes(done) == [PROOF]
    assert [link.name for link in observe.proof(clean) if link.ok] == observe.OLLAMA_LINKS
    assert not any(clean.run(f"test -e {path}", check=False).returncode == 0 for path in NONE)
    assert clean.run("id ollama", check=False).returncode != 0
    assert is_empty(**data)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_openhands_uses_it_and_each_break_is_named_with_what_repairs_it(server: Host, clean: Host) -> None:
    data = external_data(server)
    code, done = fleethands("apply", timeout=500, **data)
    told = done["hosts"]["lab-1"]
    assert code == 1  # its own default, on a CPU
    assert "context: codellama:7b is loaded there with a context of 4096 tokens" in told["reason"]
    type_in(told["hints"], clean, server)
    code, done = fleethands("apply", timeout=500, **data)
    assert code == 0, trouble(done)
    assert observe.proven(clean)
    assert is_empty(**data)
    code, done = fleethands("verify", "--conversation", "--checksums", timeout=900, **data)
    assert code == 0, trouble(done)
    assert "conversation" in [link["link"] for link in done["hosts"]["lab-1"]["proof"]]
    assert any("not this host's to read" in note for note in done["hosts"]["lab-1"]["notes"])

    server.run("systemctl stop ollama")
    refused = broken("plan", "nothing listens there", **data)
    assert refused[0] == f"{THEIRS}systemctl start ollama"
    hints = broken("verify", f"list: connection refused: nothing listens at http://{server.address}:11434", **data)
    type_in(hints, clean, server)
    server.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done", timeout=20)
    assert fleethands("verify", **data)[0] == 0

    server.run("ollama rm codellama:7b")
    hints = broken("verify", "has no model codellama:7b", **data)
    assert hints == broken("plan", "has no model codellama:7b", **data)
    type_in(hints, clean, server)
    assert fleethands("verify", **data)[0] == 0

    code, _ = fleethands("apply", hosts="lab-2", fleethands_verify="never", **QUIET)
    assert code == 0
    keeps_out = "a firewall keeps this host out, or that machine is off"
    assert clean.address in broken("verify", keeps_out, **data)[0]
    *_, ours, _ = broken("plan", keeps_out, **data)
    assert ours.endswith(f'"allow_from": ["{clean.address}"]')
    code, _ = fleethands("apply", hosts="lab-2", fleethands_verify="never", allow_from=[clean.address], **QUIET)
    assert code == 0
    assert fleethands("verify", **data)[0] == 0

    clean.run(f"echo {server.address} ollama-box >> /etc/hosts")
    by_name = {**data, "ollama_address": "http://ollama-box:11434"}
    (hint,) = broken("apply", "containers of this host do not know the name ollama-box", **by_name)
    assert hint.endswith(f'"ollama_address": "{data["ollama_address"]}"')
    assert fleethands("apply", timeout=500, **data)[0] == 0
    assert is_empty(**data)


def broken(command: str, why: str, **data: Any) -> list[str]:
    """The hints of a host that is refused for that reason."""
    code, done = fleethands(command, timeout=500, **data)
    host = done["hosts"]["lab-1"]
    assert code == 1
    assert why in host["reason"]
    hints: list[str] = host["hints"]
    return hints


@pytest.mark.soak
def test_canvas_uses_it(lab: Lab, server: Host, clean: Host) -> None:
    lab.internet.offer("canvas")
    data = external_data(server, **CANVAS)
    type_in(broken("plan", "has no model tiny-tools", **data), clean, server)
    server.run(f"printf '[Service]\\nEnvironment=OLLAMA_CONTEXT_LENGTH=32768\\n' > {DROP_IN}")
    server.run("systemctl daemon-reload; systemctl restart ollama")

    code, done = fleethands("apply", timeout=500, **data)

    assert code == 0, trouble(done)
    assert is_empty(**data)


@pytest.mark.soak
def test_from_a_service_and_back_every_model_stays(lab: Lab, server: Host, serving: Host) -> None:
    there = "find /usr/share/ollama /var/lib/fleethands/made -type f | sort | xargs sha256sum"
    models, asked = serving.run(there).stdout, len(lab.internet.requests())
    away = external_data(server, **QUIET)
    assert AWAY in changes(fleethands("plan", **away)[1])
    server.run("systemctl stop ollama")
    broken("apply", "nothing listens there", **away)
    assert observe.streamed_tokens(serving) > 1
    server.run("systemctl start ollama; until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done")

    code, done = fleethands("apply", **away)

    assert code == 0, trouble(done)
    assert changes(done) == [PROOF, AWAY, "Firewall | Close only the declared ports"]
    assert serving.run(there).stdout == models
    assert not any(serving.run(f"test -e {path}", check=False).returncode == 0 for path in NONE)
    assert "fleethands" not in serving.run("nft list tables").stdout
    assert serving.run("ss -Hltn 'sport = :11434'").stdout == ""
    assert is_empty(**away)
    code, done = fleethands("rollback", **away)
    assert code == 0, trouble(done)
    assert observe.streamed_tokens(serving) > 1
    assert serving.run(there).stdout.splitlines()[-1] == models.splitlines()[-1]
    code, done = fleethands("apply", **away)
    assert code == 0, trouble(done)
    code, done = fleethands("apply", **QUIET)
    assert code == 0, trouble(done)
    assert "Models | Pull what is missing" not in changes(done)
    assert blobs(lab, asked) == []
    assert fleethands("plan", **QUIET)[0] == 0


@pytest.mark.soak
def test_a_container_of_ours_goes_too_and_is_none_of_somebody_elses(lab: Lab, server: Host, clean: Host) -> None:
    ours: dict[str, Any] = {**QUIET, "ollama_runtime": "container"}
    code, done = fleethands("apply", **ours)
    assert code == 0, trouble(done)
    own = {"ollama_runtime": "external", "ollama_address": "http://localhost:11434", **QUIET}
    (hint, *_) = broken("plan", "is this host's own ollama.service", **own)
    assert '"ollama_runtime": "container"' in hint
    asked = len(lab.internet.requests())

    code, done = fleethands("apply", **external_data(server, **QUIET))

    assert code == 0, trouble(done)
    assert changes(done) == [PROOF, AWAY, "Firewall | Close only the declared ports"]
    assert clean.run("docker ps --all --quiet; ss -Hltn 'sport = :11434'").stdout == ""
    assert is_empty(**external_data(server, **QUIET))
    code, done = fleethands("apply", **ours)
    assert code == 0, trouble(done)
    assert blobs(lab, asked) == []
    assert fleethands("plan", **ours)[0] == 0


@pytest.mark.soak
def test_what_is_ours_is_no_ollama_of_somebody_elses(serving: Host) -> None:
    for server in ("127.0.0.1", "localhost", "[::1]", serving.address):
        data = {"ollama_runtime": "external", "ollama_address": f"http://{server}:11434", **QUIET}
        code, done = fleethands("plan", **data)
        host = done["hosts"]["lab-1"]
        assert code == 1
        if server != "[::1]":  # where the managed one does not listen
            assert "is this host's own ollama.service" in host["reason"]
            assert '"ollama_runtime": "service"' in host["hints"][0]


@pytest.mark.soak
def test_one_that_is_found_is_named_with_the_line_that_uses_it(clean: Host) -> None:
    install(clean)
    before = listing(clean)
    hints = broken("plan", "put there by something else", **QUIET)
    assert (
        'to use it as it is, declare "ollama_runtime": "external", "ollama_address": "http://127.0.0.1:11434"' in hints
    )
    data = {"ollama_runtime": "external", "ollama_address": "http://127.0.0.1:11434", **QUIET}

    code, done = fleethands("apply", **data)

    assert code == 0, trouble(done)
    assert is_empty(**data)
    code, done = fleethands("uninstall", **data)
    assert code == 0, trouble(done)
    assert listing(clean) == before
    assert clean.run("systemctl is-active ollama").stdout == "active\n"


@pytest.mark.soak
def test_uninstall_status_and_tunnel(server: Host, clean: Host) -> None:
    before = listing(clean)
    data = {**external_data(server, **QUIET), "ollama_address": f"HTTP://[{server.address6.upper()}]:11434/"}
    assert fleethands("apply", **data)[0] == 0
    words = " ".join(f"--data '{key}=\"{value}\"'" for key, value in data.items())

    code, said = typed(f"fleethands status inventory/lab.py --hosts lab-1 {words}")
    assert code == 0
    assert "0.24.0, elsewhere" in said
    options = [word for key, value in data.items() for word in ("--data", f'{key}="{value}"')]
    with tunnel("lab-1", "--ollama", *options) as (url, _):
        assert get(f"{url}/api/version") == b'{"version":"0.24.0"}'
    code, done = fleethands("uninstall", "--models", "--workspaces", **data)

    assert code == 0, trouble(done)
    assert listing(clean) == before
    code, again = fleethands("uninstall", "--models", "--workspaces", **data)
    assert (code, changes(again)) == (0, [])
