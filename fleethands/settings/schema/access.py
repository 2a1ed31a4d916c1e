"""Who may reach a host's services, and what it must have."""

from __future__ import annotations

from typing import Annotated

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import About
from fleethands.settings.schema.types import AsTuple, Network


class AccessKeys(Keys):
    """Access and hardware."""

    firewall: Annotated[
        bool,
        About(
            "close Ollama's and OpenHands' ports to the outside, by a table of our own",
            form="True or False",
            why="another firewall does it: neither service asks for a password",
            example=False,
        ),
    ] = True
    allow_from: Annotated[
        tuple[Network, ...],
        AsTuple,
        About(
            "networks that may reach both from outside",
            form="a list of networks",
            why="clients on other machines",
            example=["10.20.0.0/16"],
        ),
    ] = ()
    gpu: Annotated[
        bool | None,
        About(
            "True: a GPU must carry the model; False: CPU on purpose",
            form="True, False or None",
            why="a host that falls back to its CPU is broken: say so",
            example=True,
            derived="as found",
        ),
    ] = None
