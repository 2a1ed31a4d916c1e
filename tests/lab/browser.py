"""Debian's Chromium without a screen, driven by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

BEGUN_WITHIN = 60  # seconds
LARGEST = 64 << 20  # bytes of one message: a screenshot


class Page:
    """One page of a browser. What it can't do or does not show in time raises RuntimeError with the page's text."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number = socket, 0

    def open(self, url: str) -> None:
        self._ask("Page.enable")
        self._ask("Page.navigate", url=url)

    def wait_for(self, look: str, seconds: float = 60) -> Any:
        """
        What a piece of JavaScript returns, once that is true.

        + look: body of a function
        """
        end = time.monotonic() + seconds
        while True:
            with suppress(RuntimeError):  # the page is on its way to another one
                if found := self.run(f"(() => {{ {look} }})()"):
                    return found
            if time.monotonic() > end:
                raise RuntimeError(f"not there after {seconds:g} s: {look}\n{self.text()[:1000]}")
            time.sleep(0.1)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        done = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"].get("exception", {}).get("description", "")[:300])
        return done["result"].get("value")

    def text(self) -> str:
        """What a person reads there."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def type_into(self, selector: str, words: str) -> None:
        """As a keyboard does it, so that the page's own scripts notice."""
        self.wait_for(f"const it = document.querySelector('{selector}'); if (it) it.focus(); return !!it")
        self._ask("Input.insertText", text=words)

    def click(self, test_id: str) -> None:
        """The button that the page's own tests know by this name, once it can be used."""
        self._click(f"document.querySelector('[data-testid={test_id}]')")

    def press(self, words: str) -> None:
        """The button of these words."""
        every = "[...document.querySelectorAll('button')]"
        self._click(f"{every}.find(each => each.innerText.trim() === {json.dumps(words)})")

    def uncheck(self, selector: str) -> None:
        """A box that is ticked at first."""
        self._click(f"document.querySelector('{selector}:checked')")

    def _click(self, found: str) -> None:
        self.wait_for(f"const it = {found}; if (!it || it.disabled) return false; it.click(); return true")

    def picture(self, path: Path) -> None:
        """A screenshot as PNG."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"]))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result


def missing() -> bool:
    """Whether this machine has no Chromium of Debian's."""
    return shutil.which("chromium") is None


@contextmanager
def browser(width: int = 1200, height: int = 750, *more: str) -> Iterator[Page]:
    """
    An empty page of a new browser profile.

    + more: further words of its command line
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
        size, profile = f"--window-size={width},{height}", f"--user-data-dir={home}"
        command = ["chromium", *words, *more, size, profile, "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_page(Path(home), process), max_size=LARGEST) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(20)


def _page(home: Path, process: subprocess.Popen[bytes]) -> str:
    """Where its first page listens."""
    said, end = home / "DevToolsActivePort", time.monotonic() + BEGUN_WITHIN
    while not said.exists() or "\n" not in said.read_text():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Chromium does not start, exit {process.poll()}")
        time.sleep(0.05)
    port = said.read_text().split("\n")[0]
    with urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
        pages = [each for each in json.load(answer) if each["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])
