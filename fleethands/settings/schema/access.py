"""Settings of access and hardware."""

from __future__ import annotations

from typing import Annotated

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import AsTuple, Network


class AccessKeys(Keys):
    """Access and hardware."""

    firewall: Annotated[
        bool,
        Description(
            "Whether fleethands closes the ports of Ollama and OpenHands to other machines, with an nftables "
            "table of its own.",
            accepts="True or False",
            change="if another firewall protects the host: neither service asks for a password",
            example=False,
        ),
    ] = True
    allow_from: Annotated[
        tuple[Network, ...],
        AsTuple,
        Description(
            "Networks that may reach Ollama and OpenHands from other machines.",
            accepts="a list of networks",
            change="to let clients on other machines use them",
            example=["10.20.0.0/16"],
        ),
    ] = ()
    gpu: Annotated[
        bool | None,
        Description(
            "Whether a GPU must run the model. `True` requires one that has room for all of it, `False` uses the CPU "
            "on purpose.",
            accepts="True, False or None",
            change="to fail on a host that falls back to its CPU",
            example=True,
            default="a GPU where the host has one",
        ),
    ] = None
