"""
The minimum: paramiko alone, with one thread and one connection for each host, and one `sh -s` that reads the script.

Usage: `python bench/bare.py SPEC.json`, see `Spec`. Prints one JSON document: its seconds, and the bytes of each host.
It imports nothing of fleethands, on purpose.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NotRequired, TypedDict

import paramiko

TIMEOUT = 120  # seconds


class Spec(TypedDict):
    """
    What to read: hosts by name and address, our user, and the script that each host runs.

    + port: 22 if it is missing
    """

    hosts: dict[str, str]
    port: NotRequired[int]
    user: str
    key: str
    known_hosts: str
    script: str


def read(spec: Spec, key: paramiko.PKey, address: str) -> int:
    """The bytes of the host's answer. Raises for an unknown host key, or a status other than 0."""
    client = paramiko.SSHClient()
    client.load_host_keys(spec["known_hosts"])
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    port = spec.get("port", 22)
    connection = socket.create_connection((address, port), TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        client.connect(
            address, port, username=spec["user"], pkey=key, sock=connection, allow_agent=False, look_for_keys=False
        )
        stdin, stdout, _ = client.exec_command("sh -s", timeout=TIMEOUT)
        stdin.write(spec["script"])
        stdin.channel.shutdown_write()
        answer = stdout.read()
        if status := stdout.channel.recv_exit_status():
            raise RuntimeError(f"{address}: the script ended with status {status}")
        return len(answer)
    finally:
        client.close()


def main() -> None:
    spec: Spec = json.loads(Path(sys.argv[1]).read_text())
    begin = time.perf_counter()
    key = paramiko.Ed25519Key.from_private_key_file(spec["key"])
    with ThreadPoolExecutor(max_workers=len(spec["hosts"])) as pool:
        sizes = pool.map(lambda address: read(spec, key, address), spec["hosts"].values())
        read_of = dict(zip(spec["hosts"], sizes, strict=True))
    print(json.dumps({"seconds": time.perf_counter() - begin, "bytes": read_of}))


if __name__ == "__main__":
    main()
