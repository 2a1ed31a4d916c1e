"""A command that is silent for too long is stopped. One that prints is not."""

from __future__ import annotations

import time

import gevent  # type: ignore[import-untyped]
import pytest

from fleethands.ssh.timeouts import CommandStalled, OutputTimeout


def test_silence_ends_what_is_waited_for() -> None:
    begun = time.monotonic()
    with pytest.raises(CommandStalled), OutputTimeout(0.2):
        gevent.sleep(5)
    assert 0.2 <= time.monotonic() - begun < 2


def test_a_word_now_and_then_keeps_it_alive_as_long_as_it_comes() -> None:
    patience, begun = OutputTimeout(0.5), time.monotonic()

    def speak() -> None:
        for _ in range(6):
            gevent.sleep(0.2)
            patience.reset()

    gevent.spawn(speak)
    with pytest.raises(CommandStalled), patience:
        gevent.sleep(10)
    assert time.monotonic() - begun >= 1.6


def test_what_ends_in_time_is_left_alone_afterwards() -> None:
    with OutputTimeout(0.1):
        gevent.sleep(0.01)
    gevent.sleep(0.3)
