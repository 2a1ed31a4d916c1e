"""What is shown while models come, as text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fleethands.cli.output.live_table import Live
from fleethands.cli.output.progress import Plain

MIB = 1 << 20


def test_plain_lines_come_every_ten_seconds_with_rate_and_time_left() -> None:
    said: list[str] = []
    now = [0.0]
    plain = Plain(said.append, lambda: now[0])

    plain.step("gpu-1", "Models | Pull what is missing")
    for second in range(26):
        now[0] = float(second)
        plain.pull("gpu-1", "model tiny:latest", (50 + second) * MIB, 100 * MIB)
    now[0] = 75.0
    plain.done("gpu-1", ok=True)
    plain.phase("batch 2 of 4")

    assert said == [
        "gpu-1: Models | Pull what is missing (0:00)",
        "gpu-1: model tiny:latest: 60 MiB of 100 MiB, 1 MiB/s, 40 s left",
        "gpu-1: model tiny:latest: 70 MiB of 100 MiB, 1 MiB/s, 30 s left",
        "gpu-1: done (1:15)",
        "batch 2 of 4 (1:15)",
    ]


def test_a_pull_that_stands_still_or_has_no_size_promises_nothing() -> None:
    said: list[str] = []
    now = [0.0]
    plain = Plain(said.append, lambda: now[0])

    for second in (0.0, 10.0):
        now[0] = second
        plain.pull("gpu-1", "model tiny:latest", 5 * MIB, 0)

    assert said == ["gpu-1: model tiny:latest: 5 MiB, 0 B/s"]


def test_the_table_has_a_row_a_host_and_figures_only_where_bytes_come() -> None:
    console = terminal(140, 24)
    with Live(["gpu-1", "gpu-2", "gpu-3"], console) as live:
        live.step("gpu-1", "Ollama | Install the pinned release")
        live.pull("gpu-2", "model tiny:latest", 50_000_000, 100_000_000)
        live.pull("gpu-3", "model large:latest", 7_000_000, 0)
        live.remark("gpu-3", "trying again")
        rows = {line.split()[0]: line for line in table_lines(live, console)}

    assert "Install the pinned release" in rows["gpu-1"]
    assert "MB" not in rows["gpu-1"]
    assert "50.0/100.0 MB" in rows["gpu-2"]
    assert "7.0/? MB" in rows["gpu-3"]
    assert "gpu-3: trying again\n" in console.export_text()


def test_a_fleet_never_needs_more_lines_or_columns_than_the_terminal_has() -> None:
    hosts = [f"gpu-{number:02}.rack-a.example.net" for number in range(1, 41)]
    for width, height in ((80, 24), (60, 10), (200, 50), (40, 5)):
        console = terminal(width, height)
        with Live(hosts, console) as live:
            live.phase("batch 2 of 4")
            for host in hosts[:30]:
                live.step(host, "OpenHands | Run the container that this step has a rather long name for")
            for host in hosts[:4]:
                live.done(host, ok=host != hosts[0])
            lines = table_lines(live, console)

        assert len(lines) < height
        assert max(len(line) for line in lines) <= width
        assert lines[0] == "batch 2 of 4"
        rows = [line for line in lines if line.startswith("gpu-")]
        assert len(rows) == min(26, height - 3)
        hidden = f"{26 - len(rows)} more at work, " if len(rows) < 26 else ""
        assert lines[-1].startswith(f"{hidden}10 to come, 3 done, 1 failed"[: width - 1])


def test_a_host_comes_back_when_more_is_done_to_it() -> None:
    console = terminal(80, 24)
    with Live(["gpu-1", "gpu-2"], console) as live:
        live.step("gpu-1", "Proof | Get an answer to a prompt")
        live.done("gpu-1", ok=False)
        assert table_lines(live, console) == ["1 to come, 1 failed"]
        live.step("gpu-1", "Ollama | Serve this revision")
        assert table_lines(live, console)[-1] == "1 to come"


def test_a_terminal_is_left_as_it_was_whatever_ends_the_run() -> None:
    console = terminal(80, 24)

    def interrupted() -> None:
        with Live(["gpu-1"], console) as live:
            live.step("gpu-1", "Models | Pull what is missing")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h") == 1
    assert said.rindex("\x1b[?25h") > said.rindex("gpu-1")


def test_what_hosts_say_can_not_steer_a_terminal_or_a_page_of_ci() -> None:
    said: list[str] = []
    plain = Plain(said.append, lambda: 0.0)
    plain.remark("gpu-1", "\x1b]0;owned\x07\x1b[31mred\x1b[0m\x08 [bold]")

    assert said == ["gpu-1: red\ufffd [bold]"]


def terminal(width: int, height: int) -> Console:
    return Console(
        width=width, height=height, file=io.StringIO(), record=True, force_terminal=True, color_system=None, _environ={}
    )


def table_lines(live: Live, console: Console) -> list[str]:
    """The table as lines of text."""
    width, height = console.size
    paper = Console(width=width, height=height, file=io.StringIO(), color_system=None, _environ={})
    paper.print(live.table)
    text: str = paper.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines() if line.strip()]
