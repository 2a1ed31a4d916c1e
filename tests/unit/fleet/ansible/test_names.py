"""Host names with ranges and ports."""

from __future__ import annotations

import pytest

from fleethands.fleet.ansible.names import MOST, InvalidHostRange, hosts


@pytest.mark.parametrize(
    ("pattern", "names", "port"),
    [
        ("gpu-1", ["gpu-1"], None),
        ("gpu-1:2222", ["gpu-1"], 2222),
        ("web[01:10:4]", ["web01", "web05", "web09"], None),
        ("[a:c]", ["a", "b", "c"], None),
        ("r[1:2]-[x:y]:22", ["r1-x", "r1-y", "r2-x", "r2-y"], 22),
        ("n[:2]", ["n0", "n1", "n2"], None),
        ("n[9:11]", ["n9", "n10", "n11"], None),
        ("2001:db8::7", ["2001:db8::7"], None),
        ("[2001:db8::7]:22", ["2001:db8::7"], 22),
    ],
)
def test_a_name_stands_for_hosts(pattern: str, names: list[str], port: int | None) -> None:
    assert hosts(pattern) == (names, port)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("web[1]", "expected a range such as `[1:12]` or `[1:12:2]`, got `[1]`"),
        ("web[1:", "expected ranges such as `gpu[01:12]`"),
        ("web[01:100]", "expected ends of the same length"),
        ("web[5:1]", "ends before it begins"),
        ("web[1:5:0]", "expected a step from 1 on, got `0`"),
        ("web[1:b]", "expected two numbers or two letters"),
        ("web:99999", "expected a port from 1 to 65535"),
        ("---", "expected a host's name"),
        ("a b", "expected a host's name"),
        (f"n[0:{MOST}]", f"more than {MOST} hosts"),
        ("n[1:999][1:999]", f"more than {MOST} hosts"),
    ],
)
def test_another_name_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(InvalidHostRange, match=said.replace("[", r"\[")):
        hosts(pattern)
