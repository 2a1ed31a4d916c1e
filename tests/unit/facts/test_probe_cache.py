"""When a host is asked again; the host's answers are the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.probe_cache import MAX_AGE, ProbeCache, State
from fleethands.facts.probe_failure import ProbeFailed
from fleethands.facts.probe_request import ProbeRequest
from tests.hosts import bare, declared

SETTINGS = declared()
OTHER = declared(ollama_models_dir="/srv/models")  # asks for another path
ALIKE = declared(ollama_keep_alive="5m")  # another setting, the same script
PATH, FILE = "/etc/example", File("file", content=b"text")


class Host:
    """Answers each request with the next of its probes, or fails."""

    def __init__(self, *answers: Probe | ProbeFailed) -> None:
        self._answers: Iterator[Probe | ProbeFailed] = iter(answers)
        self.requests: list[ProbeRequest] = []

    def read(self, request: ProbeRequest) -> Probe:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, ProbeFailed):
            raise answer
        return answer


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


FIRST, SECOND = bare(SETTINGS), bare(SETTINGS).with_file(PATH, FILE)
SILENT = ProbeFailed("no answer", [])


def test_a_plan_asks_once_and_starts_from_its_predictions() -> None:
    host, cache = Host(FIRST), ProbeCache()
    assert (cache.get(SETTINGS, host.read, executing=False), cache.state) == (FIRST, State.FRESH)

    cache.predict(SECOND)

    assert (cache.get(SETTINGS, host.read, executing=False), cache.state) == (SECOND, State.PREDICTED)
    assert cache.get(SETTINGS, host.read, executing=True) == FIRST  # the host itself has not changed yet
    assert len(host.requests) == 1


def test_a_host_that_changed_is_asked_again_but_not_what_upstream_offers() -> None:
    upstream = "what the first answer has"
    host, cache = Host(FIRST.replace(upstream=upstream), SECOND), ProbeCache()
    cache.get(SETTINGS, host.read, executing=True)

    cache.invalidate()

    assert cache.state is State.STALE
    assert cache.get(SETTINGS, host.read, executing=True) == SECOND.replace(upstream=upstream)
    assert [request.upstream for request in host.requests] == [True, False]


def test_a_run_asks_again_where_its_plan_is_old_and_then_keeps_the_answer() -> None:
    clock = Clock()
    host, cache = Host(FIRST, SECOND), ProbeCache(clock)
    cache.get(SETTINGS, host.read, executing=False)

    clock.now += MAX_AGE
    assert cache.get(SETTINGS, host.read, executing=True) == SECOND
    clock.now += MAX_AGE
    assert cache.get(SETTINGS, host.read, executing=True) == SECOND


def test_settings_with_the_same_request_share_a_probe() -> None:
    host, cache = Host(FIRST), ProbeCache()
    cache.get(SETTINGS, host.read, executing=False)

    assert cache.get(ALIKE, host.read, executing=False) == FIRST
    assert cache.settings == ALIKE


def test_a_probe_never_stands_for_settings_that_it_was_not_read_for() -> None:
    host, cache = Host(FIRST, SILENT, SECOND), ProbeCache()
    cache.get(SETTINGS, host.read, executing=True)

    with pytest.raises(ProbeFailed):
        cache.get(OTHER, host.read, executing=True)

    assert (cache.settings, cache.latest) == (SETTINGS, FIRST)
    assert cache.get(OTHER, host.read, executing=True) == SECOND
    assert (cache.settings, len(host.requests)) == (OTHER, 3)


def test_a_plan_asks_a_host_that_runs_no_probe_once() -> None:
    host, cache = Host(SILENT, FIRST), ProbeCache()
    for _ in range(3):
        with pytest.raises(ProbeFailed):
            cache.get(SETTINGS, host.read, executing=False)
    assert len(host.requests) == 1

    assert cache.get(SETTINGS, host.read, executing=True) == FIRST


def test_a_host_is_refused_until_it_is_read_again() -> None:
    host, cache = Host(FIRST, SECOND), ProbeCache()
    cache.get(SETTINGS, host.read, executing=False)
    cache.refuse()
    assert cache.is_refused

    cache.invalidate()
    cache.get(SETTINGS, host.read, executing=False)
    assert not cache.is_refused


def test_there_is_nothing_to_predict_from_before_the_first_answer() -> None:
    cache = ProbeCache()
    assert (cache.state, cache.latest, cache.settings) == (None, None, None)
    with pytest.raises(LookupError):
        cache.predict(FIRST)
