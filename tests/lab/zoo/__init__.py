"""Hosts as people have them, as data: tests/lab/hosts.yaml. tests/lab/test_hosts.py tries each on a real host."""

from tests.lab.zoo.state import Heading, State, read

__all__ = ["STATES", "Heading", "State"]

STATES: tuple[State, ...] = tuple(read())
