"""Values that Ollama takes without a word for something else: shown on the real one, and refused beforehand."""

from __future__ import annotations

import json
import re
import shlex

from tests.lab import fleet
from tests.lab.host import Host

# variable → the value that a user writes, what Ollama makes of it, what fleethands expects instead
MISREAD = {
    "OLLAMA_NO_CLOUD": ("no", "true", "expected False"),
    "OLLAMA_FLASH_ATTENTION": ("off", "true", "expected False"),
    "OLLAMA_SCHED_SPREAD": ("disabled", "true", "expected False"),
    "OLLAMA_NOPRUNE": ("off", "true", "expected False"),
    "OLLAMA_NUM_PARALLEL": ("two", "1", "expected a whole number"),
    "OLLAMA_MAX_QUEUE": ("-1", "512", "expected a whole number"),
    "OLLAMA_MAX_LOADED_MODELS": ("1.5", "0", "expected a whole number"),
    "OLLAMA_LOAD_TIMEOUT": ("5 minutes", "5m0s", "expected a duration"),
    "OLLAMA_GPU_OVERHEAD": ("1GB", "0", "expected a whole number"),
    "OLLAMA_KEEP_ALIVE": ("1 day", "5m0s", "expected a duration"),
    "OLLAMA_CONTEXT_LENGTH": ("32k", "0", "expected a whole number"),
}
KEYS = {"OLLAMA_KEEP_ALIVE": "ollama_keep_alive", "OLLAMA_CONTEXT_LENGTH": "ollama_context_length"}


def made_of(host: Host) -> dict[str, str]:
    """What a real Ollama logs about its settings at its start, with these values."""
    values = " ".join(f"{name}={shlex.quote(value)}" for name, (value, _, _) in MISREAD.items())
    said = host.run(
        f"HOME=$(mktemp -d) OLLAMA_HOST=127.0.0.1:11500 {values} timeout 5 /opt/ollama/current/bin/ollama serve 2>&1",
        check=False,
    ).stdout
    return dict(re.findall(r"(OLLAMA_[A-Z_]+):(\S*)", next(line for line in said.splitlines() if "env=" in line)))


def test_what_ollama_misreads_is_refused_with_the_right_spelling(serving: Host) -> None:
    made = made_of(serving)
    assert {name: made[name] for name in MISREAD} == {name: wrong for name, (_, wrong, _) in MISREAD.items()}
    data = {KEYS[name]: value for name, (value, _, _) in MISREAD.items() if name in KEYS}
    data["ollama_env"] = json.dumps({name: value for name, (value, _, _) in MISREAD.items() if name not in KEYS})
    words = " ".join(f"--data {shlex.quote(f'{key}={value}')}" for key, value in data.items())

    code, said = fleet.typed(f"fleethands plan inventory/lab.py --hosts lab-1 {words}")

    assert code == 1
    for name, (value, _, right) in MISREAD.items():
        (line,) = [each for each in said.splitlines() if f"`{KEYS.get(name, f'ollama_env.{name}')}`" in each]
        assert right in line, said
        assert f"got `{value}`" in line, said
