"""What the proof's script makes of the speed of answers, from a server that streams as Ollama does."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Refused
from fleethands.operations.core.proof_record import Link, measured_speed, parse_links
from fleethands.operations.proof import proof
from fleethands.speed import Speed
from tests.helpers.webserver import CHUNKED, Say
from tests.hosts import bare, declared

SCRIPTS = files("fleethands.operations.proof")
PARTS = ("1-record", "3-ollama", "5-speed")
SETTINGS = declared()
DIGEST = "8fdf" * 16
STEADY = (100.0, 101.0, 99.0, 100.5, 99.5)


def chunk(row: dict[str, Any]) -> bytes:
    text = json.dumps(row, separators=(",", ":")).encode() + b"\n"
    return b"%x\r\n%s\r\n" % (len(text), text)


def streaming(rates: Iterator[float], pause: float = 0.0) -> Say:
    """The stand-in for Ollama: each answer has 32 tokens, and says that they took as long as this rate needs."""

    def say(client: socket.socket) -> None:
        time.sleep(pause)
        client.sendall(CHUNKED + chunk({"response": 'a "eval_count":1', "done": False}))
        last = {"response": "", "done": True, "context": [1, 2], "prompt_eval_count": 3, "prompt_eval_duration": 4}
        client.sendall(chunk({**last, "eval_count": 32, "eval_duration": int(32e9 / next(rates))}) + b"0\r\n\r\n")

    return say


def answering(count: str, took: str, more: bytes = b"") -> Say:
    """A server whose answers say these figures, and end with this text."""
    last = f'{{"done":true,"eval_count":{count},"eval_duration":{took}}}\n'.encode()
    return lambda client: client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + last + more)


def script_values(**more: str) -> dict[str, str]:
    decision = proof.prove.decide(SETTINGS, bare(SETTINGS), recorded=SETTINGS)
    assert isinstance(decision, Change)
    return {**decision.script.values, "run": "r", "keeps_proof": "", **more}


# what Linux reports of the threads of Ollama before a series and after it: how long they ran and waited, in nanoseconds
CPU_TIMES = """control_group() { echo own; }
read_cpu_times() {
  [ "$ollama_group" = own ] || return 0
  if [ -z "$samples" ]; then echo 'one 5000000000 1000000000'; return; fi
  echo 'one %d %d'
  echo 'another 1 90000000000'
}"""
IDLE = (9_000_000_000, 1_100_000_000)


def measure(place: Path, url: str, cpu_times: tuple[int, int] = IDLE, **more: Any) -> tuple[Link, str]:
    """The link that the script prints, and its standard error."""
    values = script_values(local_url=url, record=str(place / "record"), **more)
    known = "\n".join(f"{name}='{value}'" for name, value in values.items())
    parts = [SCRIPTS.joinpath(f"{name}.sh").read_text() for name in PARTS]
    text = "\n".join([known, *parts, CPU_TIMES % cpu_times, 'load=0.3 PAUSE=0; measure_speed; printf %s "$seen"'])
    done = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (link,) = parse_links(done.stdout.encode())
    return link, done.stderr


def before(rate: float, noise: float = 0.5, answers: int = 5, limit: str = "20") -> dict[str, Any]:
    return {"before": str(rate), "before_noise": str(noise), "before_answers": str(answers), "slowdown_limit": limit}


def test_the_median_and_the_noise_of_several_answers_are_measured(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    link, _ = measure(tmp_path, serve(streaming(iter((100.0, 10.0, 99.0, 101.0, 100.0)), pause=0.1)))

    speed = measured_speed([link])
    assert speed is not None
    assert (link.name, link.ok, speed.model, speed.prompt, speed.answers) == ("speed", True, "codellama:7b", 1, 5)
    assert speed.tokens_per_second == pytest.approx(100)
    assert speed.tokens_per_second_noise == pytest.approx(1.483, abs=0.01)
    assert 0.1 <= speed.first_token_seconds < 0.3
    assert (speed.load_seconds, speed.before, speed.slowdown_percent) == (0.3, None, None)
    assert re.fullmatch(
        r"100 tokens/s ± 1 %; first token after 0\.[12]\d\d s, loaded in 0\.3 s; 5 answers", link.detail
    ), link.detail


@pytest.mark.parametrize(
    ("rate", "words"), [(200.0, "(-50 % ± 2 %)"), (110.0, "(-9 % ± 4 %)"), (50.0, "(+100 % ± 8 %)")]
)
def test_the_speed_is_compared_with_the_record(
    rate: float, words: str, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    link, _ = measure(tmp_path, serve(streaming(cycle(STEADY))), **before(rate, limit=""))

    assert link.ok
    assert link.detail.startswith(f"100 tokens/s, {'50.0' if rate == 50 else round(rate)} before {words}; first")
    assert link.speed
    assert link.speed.before == rate


def test_a_host_at_half_the_speed_breaks_the_link(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    link, said = measure(tmp_path, serve(streaming(cycle(STEADY))), **before(200))

    assert not link.ok
    assert link.detail.startswith("100 tokens/s, 200 before (-50 % ± 2 %), limit 20 %; first token after ")
    assert link.hint.startswith("on the host: curl -sS http://")
    assert link.speed
    assert link.speed.slowdown_percent == pytest.approx(50, abs=0.5)
    assert said.startswith("error: speed: 100 tokens/s, 200 before")


@pytest.mark.parametrize(
    ("rates", "known"),
    [
        (STEADY, before(101)),
        (STEADY, before(124)),  # within the limit
        (STEADY, before(127)),  # beyond the limit, and not surely
        ((60.0, 140.0, 70.0, 100.0, 130.0), before(150, noise=40)),  # noise on both sides
        (STEADY, before(200) | {"before_spread": "0.3"}),  # the two newest records differ by far
        ((50.0,) * 5 + STEADY, before(100)),  # other work slowed the first series down
    ],
)
def test_what_may_be_noise_breaks_nothing(
    rates: tuple[float, ...], known: dict[str, Any], tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    link, said = measure(tmp_path, serve(streaming(cycle(rates))), **known)

    assert link.ok, link.detail
    assert said == ""


@pytest.mark.parametrize(("waited", "ok"), [(0, False), (1_000_000_000, False), (3_000_000_000, True)])
def test_a_host_is_not_slower_because_other_work_takes_its_cpus(
    waited: int, ok: bool, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    times = (9_000_000_000, 1_000_000_000 + waited)

    link, said = measure(tmp_path, serve(streaming(cycle(STEADY))), cpu_times=times, **before(200))

    assert link.ok is ok
    assert link.speed
    assert link.speed.cpu_wait_percent == pytest.approx(100 * waited / (4e9 + waited), abs=1)
    note = "note: the speed was not compared: other work kept Ollama waiting for a CPU, for 43 % of the time\n"
    assert (said == note) is ok


@pytest.mark.parametrize(("limit", "answers"), [("", 1), ("20", 5)])
def test_without_a_limit_a_busy_host_is_asked_for_one_answer(
    limit: str, answers: int, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    busy = (9_000_000_000, 4_000_000_000)

    link, _ = measure(tmp_path, serve(streaming(cycle(STEADY))), cpu_times=busy, **before(100, limit=limit))

    assert link.ok
    assert link.speed
    assert link.speed.answers == answers


def run_speed(call: str) -> str:
    """What a call of the script's functions prints on this machine."""
    known = "\n".join(f"{name}='{value}'" for name, value in script_values().items())
    text = "\n".join([known, SCRIPTS.joinpath("5-speed.sh").read_text(), call])
    return subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of any account that calls itself `ollama`."""
    program = tmp_path / "ollama"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        while Path(f"/proc/{process.pid}/comm").read_text() != "ollama\n":
            time.sleep(0.01)
        yield process
        process.kill()


def test_a_process_that_calls_itself_ollama_does_not_count(impostor: subprocess.Popen[bytes]) -> None:
    alone = run_speed("ollama_group=0::/system.slice/ollama.service; read_cpu_times")
    assert re.fullmatch(r"hypervisor [1-9]\d* \d+\n", alone)
    assert run_speed("read_cpu_times") == ""
    line = Path(f"/proc/{impostor.pid}/cgroup").read_text().splitlines()[-1]
    assert f"/proc/{impostor.pid}/task/{impostor.pid}/schedstat " in run_speed(f"ollama_group='{line}'; read_cpu_times")


@pytest.mark.parametrize(
    ("lines", "group"),
    [
        ("0::/system.slice/ollama.service", "0::/system.slice/ollama.service"),
        ("9:cpu,cpuacct:/\n1:name=systemd:/docker/abc\n0::/", "1:name=systemd:/docker/abc"),
        ("9:name=systemd:/\n8:memory:/x\n0::/", ""),  # a group of all processes
    ],
)
def test_the_control_group_is_that_of_systemd(lines: str, group: str) -> None:
    """`grep` reads the real expression, and a stand-in for the file of the kernel."""
    call = f"""
systemctl() {{ echo $$; }}
grep() {{ printf '%s\\n' '{lines}' | command grep "$1" "$2" "$3" "$4"; }}
control_group || true"""
    assert run_speed(call).rstrip("\n") == group


def test_without_systemd_or_docker_no_thread_is_known() -> None:
    assert run_speed("systemctl() { return 1; }; control_group || echo none") == "none\n"


def test_a_server_that_gives_no_speed_is_no_failure(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    link, said = measure(tmp_path, serve(lambda client: client.sendall(b"HTTP/1.1 500 No\r\n\r\n")), **before(200))

    assert (link.ok, link.detail, link.speed) == (True, "not measured: no whole answer in time", None)
    assert said == "note: the speed was not compared: 0 whole answers in 20 s are too few\n"


@pytest.mark.parametrize(
    ("count", "took", "more"),
    [
        ("9" * 400, "1000000000", b""),
        ("32", "9" * 400, b""),
        ("9" * 400, "9" * 400, b""),
        ("9" * 15, "1", b""),
        ("2", "9" * 15, b""),
        ("32", "1e999", b""),
        ("32", "1000000000", b"\nfirst 1e999 200\n" + b" " * (1 << 20)),  # what curl adds is cut off
        ("32", "1000000000", b"\nfirst nan 200\n" + b" " * (1 << 20)),
        ("32", "1000000000", b"\nfirst " + b"9" * 400 + b" 200\n" + b" " * (1 << 20)),
    ],
)
def test_a_figure_that_no_host_has_is_no_answer(
    count: str, took: str, more: bytes, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    link, _ = measure(tmp_path, serve(answering(count, took, more)), **before(200, limit=""))

    assert (link.ok, link.detail) == (True, "not measured: no whole answer in time")


@pytest.mark.parametrize(
    ("took", "rate", "known"),
    [
        ("32", 1e9, before(0.001)),
        ("32", 1e9, before(0.001, noise=1e9)),
        ("32000000000000", 0.001, before(1e9, noise=1e9)),
        ("32000000000", 1, before(1, noise=1e9)),
    ],
)
def test_the_figures_of_the_fastest_and_the_slowest_host_can_be_read(
    took: str, rate: float, known: dict[str, Any], tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    link, _ = measure(tmp_path, serve(answering("32", took)), **known)

    assert link.speed
    assert link.speed.tokens_per_second == pytest.approx(rate, rel=0.01)


def test_a_speed_that_cannot_be_compared_is_a_note(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    link, said = measure(tmp_path, serve(streaming(cycle(STEADY))), slowdown_limit="20")

    assert link.ok
    assert said == "note: the speed was not compared: the host has no release record yet\n"


SPEED = Speed("codellama:7b", DIGEST, 1, 5, 62.0, 0.5, 0.02, 0.001, 0.3)


def record(speed: dict[str, Any] | None) -> File:
    row = {
        "schema": 1, "by": "ana@build-2", "version": "0.1.0", "revision": "", "declared": {}, "run": "r",
        "versions": {"ollama": "0.24.0", "models": {}, "image": {}}, "time": "2026-11-30T03:00:00Z",
    }  # fmt: skip
    return File("file", "0600", content=json.dumps({**row, **({"speed": speed} if speed else {})}).encode())


def variables(speed: dict[str, Any] | None, digest: str = DIGEST, **data: Any) -> dict[str, str]:
    settings = declared(**data)
    probe = bare(settings).replace(models={"codellama:7b": digest})
    decision = proof.prove.decide(
        settings, probe.with_file(paths.CURRENT_RECORD, record(speed)), recorded=settings, max_slowdown="12.5%"
    )
    assert isinstance(decision, Change)
    return dict(decision.script.values)


def test_the_release_record_is_what_is_compared_with() -> None:
    values = variables(SPEED.to_json())

    assert (values["before"], values["before_noise"], values["before_answers"]) == ("62.000000", "0.500000", "5")
    assert (values["uncompared"], values["slowdown_limit"]) == ("", "12.5")


@pytest.mark.parametrize(
    ("older", "spread"),
    [
        (None, "0.0000"),
        ({"tokens_per_second": 62.0}, "0.0000"),
        ({"tokens_per_second": 38.0}, "0.4255"),
        ({"prompt": 0}, "0.0000"),
    ],
)
def test_the_noise_between_two_records_counts(older: dict[str, Any] | None, spread: str) -> None:
    speed = None if older is None else {**SPEED.to_json(), **older}
    probe = bare(SETTINGS).replace(models={"codellama:7b": DIGEST})
    probe = probe.with_file(paths.CURRENT_RECORD, record(SPEED.to_json())).with_file(
        paths.PREVIOUS_RECORD, record(speed)
    )

    decision = proof.prove.decide(SETTINGS, probe, recorded=SETTINGS)

    assert isinstance(decision, Change)
    assert decision.script.values["before_spread"] == spread


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (None, "the release record has no speed"),
        ({"model": "tiny:latest"}, "another model or another prompt was measured before"),
        ({"prompt": 0}, "another model or another prompt was measured before"),
        ({"digest": "00" * 32}, "codellama:7b is another model now, or its digest is unknown"),
        ({"answers": 2}, "too few answers were measured before"),
        ({"tokens_per_second": 0}, "too few answers were measured before"),
        ({"tokens_per_second": 1e-9}, "too few answers were measured before"),
        ({"tokens_per_second": "62"}, "the release record has no speed"),
        ({"tokens_per_second": -1}, "the release record has no speed"),
        ({"tokens_per_second": 1e300}, "the release record has no speed"),
        ({"model": "m\x1b[2J"}, "the release record has no speed"),
    ],
)
def test_another_speed_is_not_compared(change: dict[str, Any] | None, why: str) -> None:
    values = variables(None if change is None else {**SPEED.to_json(), **change})

    assert (values["before"], values["uncompared"]) == ("", why)


def test_an_external_ollama_is_not_compared() -> None:
    values = variables(SPEED.to_json(), ollama_runtime="external", ollama_address="http://10.0.0.5:11434")

    assert values["uncompared"] == "the external Ollama may be at work for other hosts"


@pytest.mark.parametrize("limit", ["20", "100%", "-5%", "x", "2 %", "1e1%"])
def test_a_limit_that_is_no_percentage_is_refused(limit: str) -> None:
    decision = proof.prove.decide(SETTINGS, bare(SETTINGS), recorded=SETTINGS, max_slowdown=limit)

    assert isinstance(decision, Refused)
    assert decision.reason.endswith(f"expected a percentage from `0%` to below `100%`, got `{limit}`")


@pytest.mark.parametrize(
    ("eval_duration", "was_loaded", "expected"),
    [
        (500_000_000, "", "0.420 16"),
        (2_500_000_000, "", "0.420 8"),  # 16 tokens in 2.5 s
        (500_000_000, '{"name":"codellama:7b"', " 16"),
    ],
)
def test_the_first_answer_has_the_load_time_and_says_how_long_others_may_be(
    eval_duration: int, was_loaded: str, expected: str
) -> None:
    row = {"load_duration": 420_000_000, "prompt_eval_duration": 1, "eval_count": 16, "eval_duration": eval_duration}
    values = {"loaded": was_loaded, "answer": json.dumps(row, separators=(",", ":")), "tokens": "16"}
    known = "\n".join(f"{name}='{value}'" for name, value in script_values(**values).items())
    text = "\n".join(
        [known, SCRIPTS.joinpath("5-speed.sh").read_text(), 'read_first_answer "$loaded"; echo "$load $length"']
    )

    done = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == f"{expected}\n", done.stderr


@pytest.mark.parametrize(("stolen", "waited"), [(0, 0), (3_000_000_000, 75)])
def test_the_time_that_a_hypervisor_took_counts_as_waiting(stolen: int, waited: int) -> None:
    later = f"echo 'hypervisor 6000000000 {500_000_000 + stolen}'"
    call = f'read_cpu_times() {{ {later}; }}; cpu_wait "hypervisor 5000000000 500000000" 2000'
    assert run_speed(call) == str(waited)
