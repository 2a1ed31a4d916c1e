"""Measures a process's peaks while it runs."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)  # proc(5): peak of resident memory since its exec
EVERY = 0.02  # seconds


class Watched:
    """
    A process from now until it is gone. The kernel's own account at its end (`ru_maxrss`) will not do: it begins with
    what the process was before its exec, a copy of its parent.

    + memory: peak in bytes; descriptors: peak of open files and sockets
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
                if peak is None:  # a zombie
                    return
                self.memory = max(self.memory, int(peak[1]) * 1024)
                self.descriptors = max(self.descriptors, len(os.listdir(self._place / "fd")))
            except OSError:
                return
            time.sleep(EVERY)

    def end(self) -> Watched:
        """The peaks, after the process exited."""
        self._thread.join()
        return self
