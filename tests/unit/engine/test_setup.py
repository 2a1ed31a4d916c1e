"""Where pyinfra would ask a person, a host is named instead."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.helpers.command_line import fleethands


def test_an_encrypted_key_is_an_error_of_its_host_and_no_question(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", key], check=True)

    words = ("--data", f"ssh_key={key}", "--data", 'models=["codellama:7b"]')
    done = fleethands("plan", "root@127.0.0.1", "--json", *words)

    host = json.loads(done.stdout)["hosts"]["root@127.0.0.1"]
    assert (done.returncode, host["status"], done.stderr) == (1, "unreachable", "")
    assert host["reason"].endswith(f"fleethands never prompts: Enter password for private key: {key}")
    assert host["hints"] == ["load the key into ssh-agent: `ssh-add`; or give `ssh_key_password`"]
