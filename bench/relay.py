"""
A TCP relay in user space that makes a connection as slow as a long distance, where the kernel has no netem.

    python -m bench.relay 127.0.0.1:2222 10.77.0.11:22 --round-trip 0.37
"""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK = 1 << 16


class DelayRelay:
    """
    Passes each connection on to `target`, later.

    + target: address and port
    + round_trip: seconds; each direction is delayed by half of them, and a new connection by all of them
    + listen: address and port; port 0 is any free one

    Example:

        with DelayRelay(("10.77.0.11", 22), 0.37).open() as port:
            ...  # ssh -p PORT root@127.0.0.1
    """

    def __init__(self, target: tuple[str, int], round_trip: float, listen: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.target, self.round_trip, self.listen = target, round_trip, listen

    @contextmanager
    def open(self) -> Iterator[int]:
        """Relay in a thread for the time of a `with`. Yields the port."""
        loop, ports = asyncio.new_event_loop(), list[int]()
        ready, done = threading.Event(), asyncio.Event()

        async def main() -> None:
            async with await asyncio.start_server(self._pass_on, *self.listen) as server:
                ports.append(server.sockets[0].getsockname()[1])
                ready.set()
                await done.wait()

        def run() -> None:
            loop.run_until_complete(main())
            loop.run_until_complete(_cancel_all())
            loop.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        if not ready.wait(10):
            raise TimeoutError(f"no relay at {self.listen}")
        try:
            yield ports[0]
        finally:
            loop.call_soon_threadsafe(done.set)
            thread.join(10)

    async def serve(self) -> None:
        """Relay until the program is stopped."""
        async with await asyncio.start_server(self._pass_on, *self.listen) as server:
            await server.serve_forever()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # asyncio prints a traceback for a handler that is cancelled
            await asyncio.sleep(self.round_trip)
            try:
                far_reader, far_writer = await asyncio.open_connection(*self.target)
            except OSError:
                writer.close()
                return
            await asyncio.gather(self._pour(reader, far_writer), self._pour(far_reader, writer))

    async def _pour(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Write each block half a round trip after it came, and the end too."""
        loop, blocks = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()
        writing = asyncio.ensure_future(self._write_late(blocks, sink))
        block = b"begin"
        while block:
            try:
                block = await source.read(BLOCK)
            except OSError:
                block = b""
            blocks.put_nowait((loop.time() + self.round_trip / 2, block))
        await writing

    async def _write_late(self, blocks: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                due, block = await blocks.get()
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                if not block:
                    break
                sink.write(block)
                await sink.drain()
        sink.close()


async def _cancel_all() -> None:
    """End the connections that are left."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    """Relay from one address to another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listen", type=_address)
    parser.add_argument("target", type=_address)
    parser.add_argument("--round-trip", type=float, required=True, metavar="SECONDS")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(DelayRelay(given.target, given.round_trip, given.listen).serve())


if __name__ == "__main__":
    main()
