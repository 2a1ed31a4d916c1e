"""What is shown while models come, as text."""

from __future__ import annotations

from rich.console import Console

from fleethands.cli.progress import Live, Plain

MIB = 1 << 20


def test_plain_lines_come_every_ten_seconds_with_rate_and_time_left() -> None:
    said: list[str] = []
    now = [0.0]
    plain = Plain(said.append, lambda: now[0])

    plain.step("gpu-1", "Models | Pull what is missing")
    for second in range(26):
        now[0] = float(second)
        plain.pull("gpu-1", "model tiny:latest", (50 + second) * MIB, 100 * MIB)

    assert said == [
        "gpu-1: Models | Pull what is missing",
        "gpu-1: model tiny:latest: 60 MiB of 100 MiB, 1.0 MiB/s, 40 s left",
        "gpu-1: model tiny:latest: 70 MiB of 100 MiB, 1.0 MiB/s, 30 s left",
    ]


def test_a_pull_that_stands_still_or_has_no_size_promises_nothing() -> None:
    said: list[str] = []
    now = [0.0]
    plain = Plain(said.append, lambda: now[0])

    for second in (0.0, 10.0):
        now[0] = second
        plain.pull("gpu-1", "model tiny:latest", 5 * MIB, 0)

    assert said == ["gpu-1: model tiny:latest: 5.0 MiB, 0 B/s"]


def test_the_table_has_a_row_a_host_and_figures_only_where_bytes_come() -> None:
    console = Console(width=140, record=True, force_terminal=True, color_system=None)
    with Live(["gpu-1", "gpu-2", "gpu-3"], console) as live:
        live.step("gpu-1", "Ollama | Install the pinned release")
        live.pull("gpu-2", "model tiny:latest", 50_000_000, 100_000_000)
        live.pull("gpu-3", "model large:latest", 7_000_000, 0)
        live.remark("gpu-3", "trying again")
        console.print(live.table)
    text = console.export_text()
    rows = {line.split()[0]: line for line in text.splitlines() if line.startswith("gpu-")}

    assert "Install the pinned release" in rows["gpu-1"]
    assert "MB" not in rows["gpu-1"]
    assert "50.0/100.0 MB" in rows["gpu-2"]
    assert "7.0/? MB" in rows["gpu-3"]
    assert "gpu-3: trying again\n" in text
