"""What a process holds at the most, looked at while it runs."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)  # proc(5): most that was ever resident since its exec
EVERY = 0.02  # seconds


class Watched:
    """
    A process from now until it is gone. The kernel's own account at its end (`ru_maxrss`) will not do: it begins with
    what the process was before its exec, a copy of whoever started it.

    + memory: most bytes that it held at once; descriptors: most files and sockets that it had open
    """

    def __init__(self, pid: int) -> None:
        self._place = Path(f"/proc/{pid}")
        self.memory, self.descriptors = 0, 0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while True:
            try:
                peak = PEAK.search((self._place / "status").read_text())
                if peak is None:  # it has ended, and is not waited for yet
                    return
                self.memory = max(self.memory, int(peak[1]) * 1024)
                self.descriptors = max(self.descriptors, len(os.listdir(self._place / "fd")))
            except OSError:
                return
            time.sleep(EVERY)

    def end(self) -> Watched:
        """The same, once the process is gone."""
        self._thread.join()
        return self
