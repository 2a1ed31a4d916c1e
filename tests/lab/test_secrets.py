"""What is secret is where it is needed, in files of root's own, and nowhere else: neither during a run nor after it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.flavors import CANVAS, GUIDE, KEY_FILE, canvas_key
from tests.lab.host import Host
from tests.lab.shell import run

INVENTORY = """
import runpy
from fleethands.settings import Secret
known = {known!r}
known["ollama_env"] = {{"OLLAMA_API_KEY": Secret.env("FOR_OLLAMA")}}
known["openhands_env"] = {{"GITHUB_TOKEN": Secret.file({token!r})}}
fleet = [(name, {{**data, **known}}) for name, data in runpy.run_path("inventory/lab.py")["lab"] if name == "lab-1"]
"""
# command lines of all processes some ten times a second, and now and then all of Docker's containers but OpenHands'
WATCH = """
while :; do
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '
    sleep 0.05
  done
  docker ps -a --format '{{.Names}}' | grep -vE '^openhands-app(-before)?$' | xargs -r docker inspect
done > /run/watched 2>&1
"""
PLACES = (
    "/etc /run /tmp /var/log /var/tmp /var/lib/fleethands /var/lib/systemd /root /home /opt/openhands /usr/share/ollama"
)


@contextmanager
def watched(host: Host) -> Iterator[list[str]]:
    """Command lines of this machine while it lasts; those of the host, and its containers, are in its /run/watched."""
    here: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    here.append(path.read_text(errors="replace"))
                except OSError:
                    continue  # it has ended

    host.run("cat > /run/watch; systemd-run --quiet --unit watch sh /run/watch", stdin=WATCH)
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield here
    finally:
        over.set()
        watcher.join()
        host.run("systemctl stop watch")


def said(command: str, inventory: Path, *words: str, **secret: str) -> str:
    """Everything that a command writes, for people and for programs."""
    line = [str(fleet.FLEETHANDS), command, str(inventory), *words]
    done = run(*line, cwd=fleet.ROOT, check=False, timeout=500, env={**os.environ, **secret})
    return done.stdout + done.stderr


def files_with(host: Host, secret: str, user: str) -> list[str]:
    """Files of the host in which a user finds it."""
    found = host.run(f"grep -rlF -e {secret} {PLACES} 2>/dev/null", check=False, timeout=120, user=user)
    return found.stdout.split()


def test_secrets_show_nowhere(canvas: Host, tmp_path: Path) -> None:
    secret = {"FOR_OLLAMA": f"sk-{os.urandom(12).hex()}"}
    token = f"ghp-{os.urandom(12).hex()}"
    (tmp_path / "token").write_text(f"{token}\n")
    inventory = tmp_path / "fleet.py"
    inventory.write_text(INVENTORY.format(known=CANVAS, token=str(tmp_path / "token")))
    canvas.run(f"docker run -d --name other --restart always --entrypoint sleep {GUIDE} infinity")
    every = [secret["FOR_OLLAMA"], token, canvas_key(canvas)]

    with watched(canvas) as here:
        told = said("plan", inventory, **secret) + said("plan", inventory, "--json", **secret)
        document = said("apply", inventory, "--json", "--yes", **secret)
        told += document + said("status", inventory, "--json", **secret) + said("status", inventory, **secret)
        told += said("verify", inventory, **secret) + said("verify", inventory, "--json", **secret)
        again = said("plan", inventory, **secret)

    done, _ = json.JSONDecoder().raw_decode(document)
    assert done["result"] == "changed", fleet.trouble(done)
    assert "Nothing to do" in again
    told += again
    seen = canvas.run("cat /run/watched; rm /run/watched /run/watch; journalctl -o export --all", timeout=120).stdout
    seen += canvas.run(
        "docker logs openhands-app 2>&1; docker inspect other; docker image inspect $(docker images -q)"
    ).stdout
    seen += canvas.run("systemctl show ollama; cat /proc/$(pgrep -xo ollama)/cmdline", user="plain").stdout
    for each in every:
        assert each not in told
        assert each not in "".join(here)
        assert each not in seen
    assert [path for each in every for path in files_with(canvas, each, "plain")] == []
    assert {KEY_FILE, "/etc/fleethands/ollama.env"} <= {
        path for each in every for path in files_with(canvas, each, "root")
    }
    needed: dict[str, Any] = json.loads(canvas.run("docker inspect openhands-app").stdout)[0]["Config"]
    assert f"GITHUB_TOKEN={token}" in needed["Env"]
    assert secret["FOR_OLLAMA"] not in json.dumps(needed)
