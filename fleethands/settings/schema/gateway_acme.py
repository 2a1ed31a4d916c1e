"""Settings of a gateway whose certificate a public authority issues by ACME."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from fleethands.settings.expected import InvalidValue, check_line
from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import Text

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
DIRECTORY = r"https://[A-Za-z0-9.\[\]:-]{1,255}(/[A-Za-z0-9._~/-]{0,500})?"
EMAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}"


def _directory(value: object) -> str:
    url = check_line(value)
    if url == "letsencrypt":
        return LETS_ENCRYPT
    if not re.fullmatch(DIRECTORY, url, re.ASCII):
        raise InvalidValue(f"`letsencrypt`, or the address of an ACME directory such as `{LETS_ENCRYPT}`")
    return url


def _email(value: object) -> str:
    email = check_line(value)
    if not re.fullmatch(EMAIL, email, re.ASCII):
        raise InvalidValue("an email address, such as `ops@example.com`")
    return email


AcmeDirectory = Annotated[
    str,
    BeforeValidator(_directory),
    WithJsonSchema({"type": "string", "pattern": f"^(letsencrypt|{DIRECTORY})$"}),
]
Email = Annotated[str, BeforeValidator(_email), WithJsonSchema({"type": "string", "pattern": f"^{EMAIL}$"})]


class GatewayAcmeKeys(Keys):
    """The gateway's certificate by ACME."""

    gateway_acme: Annotated[
        AcmeDirectory | None,
        Description(
            "The ACME directory of the authority that issues the gateway's certificate. With this setting you agree to "
            "the terms of that authority. The host proves on port 80 that it has each name, and renews by itself.",
            accepts="`letsencrypt`, or the address of a directory, which begins with `https://`",
            change="for a certificate that clients trust already",
            example="letsencrypt",
            default="none: see `gateway_authority`",
        ),
    ] = None
    gateway_acme_email: Annotated[
        Email | None,
        Description(
            "The address that the authority of `gateway_acme` may write to.",
            accepts="an email address",
            change="to give the authority a contact",
            example="ops@example.com",
            default="none",
        ),
    ] = None
    gateway_acme_trust: Annotated[
        Text | None,
        Description(
            "The path of a file on the controller with the root certificates of a private ACME authority, in PEM: "
            "that of its directory, and that of the certificates that it issues.",
            accepts="the path of a file on the controller",
            change="for an authority that the host and this machine do not trust",
            example="acme-roots.pem",
            default="what the host and this machine trust",
        ),
    ] = None
