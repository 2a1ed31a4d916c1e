"""The gateway's log as counters: each request once, by client, model and status, whatever the log holds."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.helpers.promtool import promtool
from tests.unit.operations.metrics.collector import Collector, StandInOllama, value

REQUESTS, SENT = "fleethands_gateway_requests_total", "fleethands_gateway_sent_bytes_total"
USUAL: dict[str, Any] = {
    "time": "2026-11-30T22:00:00+00:00", "client": "alice", "from": "10.0.0.9", "method": "POST",
    "path": "/api/generate", "model": "codellama:7b", "status": 200, "seconds": 3.25, "first_byte": "0.400",
    "bytes": 1000,
}  # fmt: skip


class Journal:
    """A journalctl that prints these messages behind the position that it is asked for."""

    def __init__(self, collector: Collector) -> None:
        self.messages: list[str] = []
        self._collector, self._place = collector, collector.place / "journal"
        collector.declared += [("gateway_address", "127.0.0.1:8443"), ("gateway_port", 8443)]
        collector.stand_in("openssl", "exit 1")
        collector.stand_in(
            "journalctl",
            f'printf "%s\\n" "$*" >>{collector.place}/asked\n'
            f'after=$(printf "%s\\n" "$*" | sed -n "s/.*--after-cursor=c=\\([0-9]*\\).*/\\1/p")\n'
            f'tail -n "+$((${{after:-0}} * 3 + 1))" {self._place}',
        )

    def add(self, *rows: dict[str, Any] | str) -> None:
        self.messages += [row if isinstance(row, str) else json.dumps({**USUAL, **row}) for row in rows]
        entries = (f"__CURSOR=c={number}\nMESSAGE={text}\n\n" for number, text in enumerate(self.messages, 1))
        self._place.write_text("".join(entries))

    @property
    def asked(self) -> list[str]:
        return (self._collector.place / "asked").read_text().splitlines()


@pytest.fixture
def journal(collector: Collector) -> Journal:
    made = Journal(collector)
    made.add()
    return made


def test_requests_are_counted_once(collector: Collector, journal: Journal) -> None:
    journal.add(
        {}, {"seconds": 700, "first_byte": "0.400, 0.600"}, {"status": 499}, {"client": "", "model": "", "status": 401}
    )
    found = collector.collect()

    assert value(found, REQUESTS, client="alice", model="codellama:7b", status="200") == 2
    assert value(found, REQUESTS, client="alice", model="codellama:7b", status="499") == 1
    assert value(found, REQUESTS, client="", model="", status="401") == 1
    assert value(found, SENT, client="alice", model="codellama:7b") == 3000
    who = {"client": "alice", "model": "codellama:7b"}
    buckets = {
        le: value(found, "fleethands_gateway_answer_seconds_bucket", **who, le=le) for le in ("2.5", "5", "600", "+Inf")
    }
    assert buckets == {"2.5": 0, "5": 1, "600": 1, "+Inf": 2}
    assert value(found, "fleethands_gateway_answer_seconds_sum", **who) == 703.25
    assert value(found, "fleethands_gateway_first_byte_seconds_count", **who) == 2
    assert value(found, "fleethands_gateway_first_byte_seconds_bucket", **who, le="0.5") == 1
    assert promtool("check", "metrics", given=collector.text) == ""

    assert value(collector.collect(), REQUESTS, client="alice", model="codellama:7b", status="200") == 2
    journal.add({})
    assert value(collector.collect(), REQUESTS, client="alice", model="codellama:7b", status="200") == 3
    assert "--since=@" in journal.asked[0]
    assert "--after-cursor=c=5" in journal.asked[-1] or "--after-cursor=c=4" in journal.asked[-1]
    assert "_SYSTEMD_UNIT=fleethands-gateway.service" in journal.asked[-1]


def test_counts_survive_an_ollama_that_is_down(collector: Collector, journal: Journal, ollama: StandInOllama) -> None:
    journal.add({})
    collector.collect()
    ollama.close()
    journal.add({})

    assert value(collector.collect(), REQUESTS, client="alice", model="codellama:7b", status="200") == 2


def test_only_models_of_the_host_get_rows_of_their_own(collector: Collector, journal: Journal) -> None:
    journal.add({"model": "other"}, {"model": "CODELLAMA:7b"}, *({"model": f"made-up-{n}"} for n in range(500)))

    found = collector.collect()

    rows = {dict(labels)["model"]: number for (name, labels), number in found.items() if name == REQUESTS}
    assert rows == {"Other:latest": 1, "codellama:7b": 1, "other": 500}


def test_lines_that_nginx_never_writes(collector: Collector, journal: Journal) -> None:
    journal.add(
        "{", "{}", "no JSON", '{"client":["x"]}', "{" * 5000, '{"client":"alice","status":"200","bytes":"many"}',
        {"client": 'x"} 1\nfleethands_ollama_up 0'}, {"client": "A"}, {"status": "\t"},
        {"seconds": "1e999", "bytes": -5},
        {"seconds": "-"}, {"seconds": -1}, {"first_byte": "0.1; 0.2"}, {"path": "/metrics"}, {"method": "GET"}, {},
    )  # fmt: skip

    found = collector.collect()

    assert value(found, "fleethands_metrics_part_ok", part="gateway_log") == 1
    answers = "fleethands_gateway_answer_seconds_count"
    assert value(found, answers, client="alice", model="codellama:7b") == 2
    clients = {dict(labels)["client"] for name, labels in found if name == REQUESTS}
    assert clients == {"alice", ""}
    assert promtool("check", "metrics", given=collector.text) == ""


def test_a_flood_is_counted_in_several_runs(collector: Collector, journal: Journal) -> None:
    journal.add(*[{}] * 60_000)

    begun = time.monotonic()
    first = value(collector.collect(), REQUESTS, client="alice", model="codellama:7b", status="200")
    assert time.monotonic() - begun < 40
    second = value(collector.collect(), REQUESTS, client="alice", model="codellama:7b", status="200")

    assert (first, second) == (50_000, 60_000)


def test_a_journal_that_lost_the_position_is_read_from_the_last_time(collector: Collector, journal: Journal) -> None:
    journal.add({})
    collector.collect()
    collector.stand_in("journalctl", f'printf "%s\\n" "$*" >>{collector.place}/asked; exit 1')

    assert value(collector.collect(), "fleethands_metrics_part_ok", part="gateway_log") == 0
    collector.collect()

    assert "--after-cursor" in journal.asked[-2]
    assert "--since=@" in journal.asked[-1]


def test_a_damaged_file_of_counts_does_no_harm(collector: Collector, journal: Journal) -> None:
    (collector.state / "counts").write_bytes(
        b"requests\ta\nhistogram\tanswer\tx\ty\t1\ncursor\t$(touch /tmp/x)\n"
        b"requests\t\xff\ty\t200\tmany\n\x00\nsince\tx\nstuck\t\t\n"
    )
    journal.add({})

    found = collector.collect()

    assert value(found, REQUESTS, client="alice", model="codellama:7b", status="200") == 1
    assert "touch" not in "".join(journal.asked)
