"""
Where the seconds of `fleethands plan` go: the same steps in one process, each timed.

Usage: `python -m bench.inside TARGET`. Prints one JSON document: stage → seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

HOSTS = "reach, probe and decide"
BEGIN = time.perf_counter()


def main() -> None:
    from fleethands.engine.engine import Engine  # noqa: PLC0415
    from fleethands.rollout import build_report  # noqa: PLC0415  (importing is what is timed)

    stages: dict[str, float] = {}
    last = BEGIN

    def done(stage: str) -> None:
        nonlocal last
        now = time.perf_counter()
        stages[stage], last = now - last, now

    done("import")
    engine = Engine.load(sys.argv[1], Path.cwd(), {})
    engine.settings()
    done("settings")
    engine.connect_and_plan(keep=False)
    done(HOSTS)
    json.dumps(build_report.plan_report(engine).to_json())
    done("report")
    print(json.dumps(stages))


if __name__ == "__main__":
    main()
