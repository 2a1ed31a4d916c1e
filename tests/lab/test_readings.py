"""What settings take for right is what a real Ollama reads as it was meant, and nothing else."""

from __future__ import annotations

import json
import random
import re

import pytest

from fleethands.settings.schema.ollama_env import check_value
from fleethands.settings.values.durations import check_duration
from fleethands.settings.values.names import ModelName
from tests.lab.host import Host

DEFAULT = "5m0s"  # what Ollama takes for a keep-alive that it can't read
DURATIONS = ["30m", "1h30m", "-1", "1.5h", ".5h", "1.h", "+5s", "0", "90", "1us", "-1m", "3ms2s", "2562047h"]
MISREAD = ["5 minutes", "1d", "forever", "1h30", "1e3s", "5M", "2562048h", "9223372037", "99999999999"]
PARTS = [*"aA9_-.:/@ é", "sha256:", "\n", "host:5000/", "library/", "x" * 79, "x" * 80, "x" * 81, "y" * 350]


def understood(host: Host, name: str, value: str) -> str:
    """What Ollama on a host says at its start that it took a variable for."""
    variables = f'HOME=/tmp OLLAMA_HOST=127.0.0.1:18999 {name}="$(cat)"'
    serve = f"{variables} timeout 20 ollama serve 2>&1 | grep -om1 '{name}:[^ ]*'"
    return host.run(serve, stdin=value).stdout.strip().removeprefix(f"{name}:")


def taken(value: str) -> bool:
    try:
        check_duration(value)
    except ValueError:
        return False
    return True


def test_what_ollama_would_misread_is_refused_and_nothing_else(converged: Host) -> None:
    read = {value: understood(converged, "OLLAMA_KEEP_ALIVE", value) for value in DURATIONS + MISREAD}

    assert [value for value in read if taken(value)] == DURATIONS
    assert not [value for value in DURATIONS if read[value] == DEFAULT]
    assert (read["1.5h"], read["90"], read["+5s"]) == ("1h30m0s", "1m30s", "5s")
    assert all(read[value] == DEFAULT or re.match(r"\d{7}h", read[value]) for value in MISREAD), read

    assert understood(converged, "OLLAMA_NOPRUNE", "off") == "true"
    assert understood(converged, "OLLAMA_NOPRUNE", "0") == "false"
    with pytest.raises(ValueError, match="expected False"):
        check_value("OLLAMA_NOPRUNE", "off")


def test_model_names_are_taken_where_ollama_takes_them(converged: Host) -> None:
    chance = random.Random(4)
    names = sorted({"".join(chance.choices(PARTS, k=chance.randint(1, 6))) for _ in range(300)})
    bodies = "\n".join(json.dumps({"source": name, "destination": "never"}) for name in names)
    ask = 'while read -r body; do curl -s localhost:11434/api/copy -d "$body"; echo; done'

    answers = converged.run(ask, stdin=bodies + "\n", timeout=120).stdout.splitlines()

    theirs = {name for name, answer in zip(names, answers, strict=True) if "is invalid" not in answer}
    assert {name for name in names if _is_name(name)} == theirs
    assert len(theirs) > 10


def _is_name(text: str) -> bool:
    try:
        ModelName.parse(text)
    except ValueError:
        return False
    return True
