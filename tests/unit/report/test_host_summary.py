"""A row of `fleethands status`, in the terminal and on its page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fleethands import paths
from fleethands.cli.output import status_table
from fleethands.command_line import CommandLine
from fleethands.facts import Probe, Unknown
from fleethands.facts.docker import Container, Docker
from fleethands.facts.files import File
from fleethands.facts.ollama import Ollama
from fleethands.facts.units import Unit
from fleethands.operations.core.proof_record import parse_links
from fleethands.report.formats import html_page
from fleethands.report.host_summary import COLUMNS, status_cells
from fleethands.report.model import HostReport
from tests.helpers import reports
from tests.hosts import bare

UNIT = File("file", content=b"[Service]\nExecStart=/opt/openhands-source/1.16.0/bin/serve 127.0.0.1 8000\n")
ACTIVE = Unit("loaded", "active", "running", "enabled", 7, False, (), paths.OPENHANDS_UNIT, 0, "success")


def table_cell(seen: Probe, column: str) -> str:
    host = HostReport("unchanged", probe=seen)
    return dict(zip(COLUMNS, status_cells("gpu-1", host), strict=True))[column]


def test_openhands_is_a_container_or_a_service_or_none() -> None:
    container = Container("1", "running", "sha256:2", {}, "", "openhands:0.62")
    service = bare().replace(units={paths.OPENHANDS_SERVICE: ACTIVE}).with_file(paths.OPENHANDS_UNIT, UNIT)
    stopped = service.replace(units={paths.OPENHANDS_SERVICE: replace(ACTIVE, active="failed")})

    assert (
        table_cell(bare().replace(docker=Docker(installed=True, container=container)), "OpenHands")
        == "running, openhands:0.62"
    )
    assert table_cell(service, "OpenHands") == "active, source 1.16.0"
    assert table_cell(stopped, "OpenHands") == "failed, source 1.16.0"
    assert table_cell(bare(), "OpenHands") == "none"
    assert table_cell(bare().replace(docker=Unknown("no answer within 5 s")), "OpenHands") == "unknown"


def test_a_host_that_was_not_reached_has_a_row_too() -> None:
    assert status_cells("gpu-1", HostReport("unreachable")) == ["gpu-1", "unreachable", *[""] * 10]


def test_the_page_of_a_status_has_the_table_and_no_other_page_has() -> None:
    seen = bare().replace(ollama=Ollama("0.24.0"), models={"<b>m</b>:1": "d"})
    hosts = {"gpu-1": HostReport("unchanged", probe=seen), "gpu-2": HostReport("unreachable", "no answer")}

    text = html_page.render_html(reports.run(hosts, "status"))

    assert "<td>0.24.0</td><td>&lt;b&gt;m&lt;/b&gt;:1</td><td>none</td>" in text
    assert "<td>gpu-2</td><td>unreachable</td><td></td>" in text
    assert "What the hosts are" not in html_page.render_html(reports.run(hosts, "apply"))


def test_whatever_a_host_says_has_a_row() -> None:
    unit = File("file", content=b"[Service]\nExecStart=/opt/openhands-source/\xff/bin/serve x\n")
    seen = bare().replace(units={paths.OPENHANDS_SERVICE: ACTIVE}).with_file(paths.OPENHANDS_UNIT, unit)

    assert table_cell(seen, "OpenHands") == "active, source \ufffd"
    assert table_cell(seen.with_file(paths.PROOF, File("file", mtime=10**30)), "proven") == "unknown"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x1b]0;owned\x07",
        b"ExecStart=/\xff\x1b[2J/bin/serve x",
        "list\tok\t²\tx\ty".encode(),
        b"list\tok\t" + b"9" * 5000,
        b"list\tok\t1\tx\ty\n" * 5000,
        b"{" * 60_000,
        b'{"schema": 1, "pid": 1e999}',
    ],
)
def test_whatever_stands_in_a_hosts_files_its_row_is_shown(content: bytes) -> None:
    odd = File("file", "0644", 0, 0, "\x1b[2J:\udcff", content, mtime=1 << 53)
    seen = bare().replace(files=dict.fromkeys(bare().files, odd), units={paths.OPENHANDS_SERVICE: ACTIVE})
    host = HostReport("unchanged", probe=seen, proof=parse_links(content))

    assert not any(character < " " for cell in status_cells("gpu-1", host) for character in cell)
    assert json.dumps(host.to_json()).isascii()
    assert len(host.proof) <= 1000


def test_words_of_a_host_are_no_markup() -> None:
    seen = bare().replace(ollama=Ollama("0.24 [/x] [red]y[/red] [link=http://evil]z[/link] :smile:"))

    shown = "\n".join(
        status_table.lines(
            reports.run({"a": HostReport("unchanged", probe=seen)}, "status"), CommandLine("status", "prod.py")
        )
    )

    assert "0.24 [/x] [red]y[/red] [link=http://evil]z[/link] :smile:" in shown
