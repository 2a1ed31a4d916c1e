"""Runs the collector of metrics for real, on recorded answers and with commands that stand in for those of a host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fleethands.operations.metrics import programs

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\.)*)"')
TINY = {"name": "codellama:7b", "size": 1000, "digest": "aa" * 32}
ANSWERS: dict[str, Any] = {
    "/api/version": {"version": "0.24.0"},
    "/api/tags": {"models": [TINY, {"name": "Other:latest", "size": 5, "digest": "bb" * 32}]},
    "/api/ps": {"models": [{"name": "codellama:7b", "size": 1500, "size_vram": 1200}]},
}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class StandInOllama:
    """An Ollama that gives recorded answers: objects as JSON, or bytes as they are."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.delay = dict(answers), 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(outer.delay)
                answer = outer.answers.get(self.path, b"")
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200 if self.path in outer.answers else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Collector:
    """
    A host whose metrics are collected.

    + declared: rows of the file that an apply wrote
    """

    def __init__(self, place: Path, url: str) -> None:
        self.place, self.programs, self.proof = place, place / "bin", place / "proof"
        self.state = place / "state"
        for directory in (self.programs, self.state):
            directory.mkdir()
        (place / "sums").write_text("")
        self.declared: list[tuple[str, object]] = [
            ("fleethands", "1.0.0"), ("proof", self.proof), ("sums", place / "sums"), ("ollama_url", url),
            ("ollama_version", "0.24.0"), ("model", "codellama:7b"), ("models_dir", place),
        ]  # fmt: skip
        self.text = ""

    def stand_in(self, name: str, script: str) -> None:
        """A command of the host is this shell script."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def collect(self, seconds: float = 60) -> Samples:
        """Run the collector once, and read what it wrote."""
        rows = "".join(f"{key} {value}\n" for key, value in self.declared)
        (self.place / "declared").write_text(rows)
        program = self.place / "collect.pl"
        program.write_text(programs.collect())
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "STATE_DIRECTORY": str(self.state),
            "declared": str(self.place / "declared"),
        }
        subprocess.run(["perl", "-W", program], env=environment, check=True, timeout=seconds, cwd="/")
        self.text = (self.state / "fleethands.prom").read_text()
        return read_samples(self.text)


def read_samples(text: str) -> Samples:
    """The samples of a text in Prometheus' format. Fails for a line of another form, and for one that repeats."""
    found: Samples = {}
    for line in text.split("\n"):  # labels may have other line breaks
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        key = (match[1], frozenset(LABEL.findall(match[2] or "")))
        assert key not in found, line
        found[key] = float(match[3])
    return found


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """The value of one sample; None if there is none."""
    return samples.get((name, frozenset(labels.items())))
