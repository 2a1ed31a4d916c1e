"""Templates of files on hosts."""

from __future__ import annotations

from fleethands.settings.generations import SOURCE
from fleethands.tasks import render


def test_a_service_from_source_names_the_ports_between_its_parts() -> None:
    words = dict.fromkeys(
        ("home", "workspace", "user", "bind", "port", "unit", "started", "built", "key_file", "environment_file"), "/x"
    )

    text = render("openhands.service.j2", root="/opt/x", inner=SOURCE.inner, revision="0", **words)

    assert SOURCE.inner
    assert all(f"\nEnvironment={name}={port}\n" in text for name, port in SOURCE.inner.items())
