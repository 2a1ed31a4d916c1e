"""Settings of OpenHands' page on the gateway."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from fleethands.settings.expected import InvalidValue
from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import GatewayAddress
from fleethands.settings.schema.variables import OBJECT, check_client_name, check_each
from fleethands.settings.values.names import ListenAddress
from fleethands.settings.values.secret import Secret

SHORTEST, LONGEST = 12, 72  # characters; bcrypt reads no more than 72 bytes


def _person(name: Any, value: Any) -> None:
    check_client_name(name, "a person's name")
    if not isinstance(value, Secret):
        raise InvalidValue("a secret, such as `Secret.env('ANN_PASSWORD')`")


def check_password(value: str) -> None:
    """
    A password that every browser sends in the same bytes, and that is long enough. Raises InvalidValue.

    Browsers do not agree on the encoding of other characters than those of ASCII (RFC 7617, 2.1).
    """
    if not re.fullmatch(rf"[!-~]([ -~]{{{SHORTEST - 2},{LONGEST - 2}}})[!-~]", value, re.ASCII):
        raise InvalidValue(f"a password of {SHORTEST} to {LONGEST} characters of ASCII, without blanks at its ends")


PeoplesPasswords = Annotated[dict[str, Secret], BeforeValidator(check_each(_person)), OBJECT]


class GatewayPageKeys(Keys):
    """OpenHands' page on the gateway."""

    gateway_page: Annotated[
        GatewayAddress | None,
        Description(
            "The address and port at which the gateway serves OpenHands' page, with the certificate of the gateway. "
            "It asks for a login. Everyone who logs in to V0 or V1 is root on the host.",
            accepts="`IP:PORT`, such as `0.0.0.0:3443`, or `[::]:3443` for IPv4 and IPv6",
            change="with `gateway`, to let people on other machines use OpenHands without SSH",
            example=ListenAddress("::", 3443),
            default="the page is not on the gateway",
        ),
    ] = None
    gateway_people: Annotated[
        PeoplesPasswords,
        Description(
            "The people who may log in to OpenHands' page, each with a password. The host stores a hash of it. "
            "A rollback keeps the people of today's inventory.",
            accepts="a dictionary of names and secrets, each with a password of 12 to 72 characters",
            change="with `gateway_page`. V0 and V1 need at least one; Canvas then asks for its key after the login",
            example={"ann": Secret.env("ANN_PASSWORD")},
        ),
    ] = Field({})
