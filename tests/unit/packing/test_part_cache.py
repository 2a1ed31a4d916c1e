"""Commands that create the same bundle at once: one works, the others end with an error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleethands.bundle.errors import BundleError
from fleethands.packing.part_cache import PartCache

ROUNDS, COMMANDS = 150, 4


def test_one_of_several_commands_has_the_parts(tmp_path: Path) -> None:
    """Each one that gets the lock removes the directory at its end, while others try to lock it."""
    inside: list[int] = []

    def create(number: int) -> set[str]:
        reasons, done = set(), 0
        while done < ROUNDS:
            try:
                with PartCache.beside(tmp_path / "fleet.bundle", lambda _: None) as cache:
                    inside.append(number)
                    cache.path("sha256:1").write_text(str(number))
                    assert (inside, cache.path("sha256:1").read_text()) == ([number], str(number))
                    inside.remove(number)
                    cache.clear()
                    done += 1
            except BundleError as error:
                reasons.add(str(error))
        return reasons

    with ThreadPoolExecutor(COMMANDS) as pool:
        reasons = set().union(*pool.map(create, range(COMMANDS)))

    assert reasons <= {f"another command creates {tmp_path}/fleet.bundle"}
    assert list(tmp_path.iterdir()) == []
