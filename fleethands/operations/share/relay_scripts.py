"""The scripts that start and stop the relay of a host."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from fleethands import paths
from fleethands.operations.core import scripts
from fleethands.operations.share import programs
from fleethands.script import Script

IDLE = 300  # seconds without a request, and without a fetch or the lock of a run that touches `busy`: then a relay ends


@dataclass(frozen=True)
class StartRelay:
    """
    Starts a relay, or adds a run to it. start_relay.sh says what the variables mean.

    + rate: bytes a second, 0 without a limit
    """

    token: str
    address: str
    port: int
    neighbors: str
    hosts: str
    models_dir: str
    rate: int = 0
    idle: int = IDLE

    @property
    def script(self) -> Script:
        values = {name: str(value) for name, value in asdict(self).items()}
        texts = {
            "relay": programs.relay(),
            "ask_neighbors": programs.ask_neighbors(),
            "hash_pieces": programs.hash_pieces(),
        }
        return Script(scripts.join("owned", "start_relay"), {**values, **texts, "parts": paths.ARTIFACTS})


def stop_relay(token: str) -> Script:
    """Stop the relay, unless another run uses it."""
    return Script(scripts.read("stop_relay"), {"token": token, "parts": paths.ARTIFACTS})
