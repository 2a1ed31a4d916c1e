"""A host's list of its sandboxes opens no other port of this machine."""

from __future__ import annotations

from fleethands.ssh.tunnel import CANVAS_KEY_VALUE, MOST_PORTS, sandbox_ports


def asked(line: str) -> tuple[set[int], list[str]]:
    warnings: list[str] = []
    return sandbox_ports(line, warnings.append), warnings


def test_only_ports_of_sandboxes_are_followed() -> None:
    assert asked("32768 60999 40000 ") == ({32768, 40000, 60999}, [])
    assert asked("") == (set(), [])
    for odd in ("5432", "80", "6379", "99999", "-1", "0x9000", "٤٠٠٠٠", "\x1b[2J", "9" * 5000):
        ports, (warning,) = asked(f"40000 {odd} {odd}")
        assert ports == {40000}
        assert warning.isprintable()
        assert len(warning) < 200


def test_no_more_than_so_many_are_followed() -> None:
    ports, (warning,) = asked(" ".join(map(str, range(40000, 41000))))

    assert ports == set(range(40000, 40000 + MOST_PORTS))
    assert warning == f"the host reports 1000 ports of sandboxes: only {MOST_PORTS} are forwarded"


def test_canvas_key_is_nothing_else() -> None:
    assert CANVAS_KEY_VALUE.fullmatch("0123456789abcdef" * 4)
    for odd in ("", "a" * 63, "a" * 65, "a" * 64 + "\n", "\x1b[2J" + "a" * 60, "A" * 64):
        assert not CANVAS_KEY_VALUE.fullmatch(odd)
