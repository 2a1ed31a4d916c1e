"""Settings of the gateway."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import AsTuple, GatewayAddress, SecretValue, ServerName, Text
from fleethands.settings.schema.variables import Backends, ClientName, ClientTokens
from fleethands.settings.values.names import ListenAddress
from fleethands.settings.values.secret import Secret


class GatewayKeys(Keys):
    """The gateway."""

    gateway: Annotated[
        GatewayAddress | None,
        Description(
            "The address and port of the gateway: nginx with TLS in front of Ollama, which asks each client for a "
            "token.",
            accepts="`IP:PORT`, such as `0.0.0.0:443`, or `[::]:443` for IPv4 and IPv6",
            change="to let clients on other machines use Ollama without SSH",
            example=ListenAddress("::", 443),
            default="no gateway",
        ),
    ] = None
    gateway_names: Annotated[
        tuple[ServerName, ...],
        AsTuple,
        Description(
            "The DNS names and IP addresses by which clients reach the gateway. Its certificate is for these.",
            accepts="a list of DNS names and IP addresses",
            change="with `gateway`, which needs at least one",
            example=["gpu-1.example.com", "203.0.113.5"],
        ),
    ] = ()
    gateway_tokens: Annotated[
        ClientTokens,
        Description(
            "The clients of the gateway, each with its token. A client may use the models. It cannot pull, create "
            "or delete any. A rollback keeps the tokens of today's inventory.",
            accepts="a dictionary of client names and secrets, each with a token of 24 to 200 characters",
            change="with `gateway`, which needs at least one",
            example={"alice": Secret.env("ALICE_TOKEN")},
        ),
    ] = Field({})
    gateway_managers: Annotated[
        tuple[ClientName, ...],
        AsTuple,
        Description(
            "The clients that may also pull, create, copy, push and delete models through the gateway.",
            accepts="a list of names of `gateway_tokens`",
            change="for a client that manages the models of the host",
            example=["alice"],
        ),
    ] = ()
    gateway_backends: Annotated[
        Backends,
        Description(
            "The hosts that answer behind the gateway, each with the address of its own gateway. A request goes to the "
            "least busy host that has its model. A rollout takes a host out before it changes it.",
            accepts="a dictionary of hosts of the inventory and `IP:PORT`",
            change="to give clients one address for several hosts",
            example={"gpu-1": ListenAddress("10.0.0.11", 443), "gpu-2": ListenAddress("10.0.0.12", 443)},
            default="only this host",
        ),
    ] = Field({})
    gateway_backends_token: Annotated[
        SecretValue | None,
        Description(
            "The token by which this gateway is a client of the gateways of `gateway_backends`.",
            accepts="a secret, of which each of these hosts has a line in its `gateway_tokens`",
            change="with `gateway_backends`, which needs it",
            example=Secret.env("FRONT_TOKEN"),
            default="none",
        ),
    ] = None
    gateway_authority: Annotated[
        SecretValue | None,
        Description(
            "The authority that issues the gateway's certificate: the content of the file that `fleethands authority "
            "create authority.pem` creates. Each `apply` in the last 60 days of a certificate issues a new one.",
            accepts="a secret, such as `Secret.file('authority.pem')`",
            change="for certificates of your own authority, which your clients have to trust",
            example=Secret.file("authority.pem"),
            default="none: see `gateway_certificate`",
        ),
    ] = None
    gateway_certificate: Annotated[
        Text | None,
        Description(
            "The path of the gateway's certificate on the controller, in PEM, with the certificates of its issuers "
            "after it. A relative path starts at the working directory.",
            accepts="the path of a file on the controller",
            change="to use a certificate that you have, instead of `gateway_authority`",
            example="gpu-1.example.com.pem",
            default="none: see `gateway_authority`",
        ),
    ] = None
    gateway_key: Annotated[
        SecretValue | None,
        Description(
            "The private key of `gateway_certificate`, in PEM.",
            accepts="a secret, such as `Secret.file('gpu-1.key')`",
            change="with `gateway_certificate`, which needs it",
            example=Secret.file("gpu-1.example.com.key"),
            default="none",
        ),
    ] = None
