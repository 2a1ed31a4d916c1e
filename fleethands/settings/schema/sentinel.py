"""Settings of the sentinel, which proves a host by a timer."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from fleethands.settings.expected import InvalidValue, WrongType, check_line
from fleethands.settings.schema import Keys, json_forms
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import SecretValue
from fleethands.settings.values.secret import Secret

SECRETS = ("sentinel_webhook", "sentinel_key")  # the keys of this section that may be secrets
SHORTEST_KEY, LONGEST_KEY, LONGEST_URL = 16, 1024, 2000  # characters
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", re.ASCII)
_URL = re.compile(r"https?://[!#-&(-;=?-\[\]_a-z~]+\Z", re.ASCII | re.IGNORECASE)  # without quotes and backslashes


def _time(value: object) -> str:
    if not isinstance(value, str):
        raise WrongType("text")
    if not _TIME.match(value):
        raise InvalidValue("a time of the day from `00:00` to `23:59`, such as `03:30`")
    return value


def check_webhook(value: object) -> str:
    """An address that takes webhooks, without a user or a password. Raises InvalidValue."""
    url = check_line(value)
    form = "an address such as `https://alerts.example/fleet`"
    if not _URL.match(url) or len(url) > LONGEST_URL:
        raise InvalidValue(form)
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or "@" in parts.netloc:
        raise InvalidValue(f"{form}, with a host name and without a password")
    return url


def check_key(value: object) -> str:
    """A key that signs webhooks. Raises InvalidValue."""
    key = check_line(value)
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not key.isascii():
        raise InvalidValue(f"{SHORTEST_KEY} to {LONGEST_KEY} characters of ASCII")
    return key


def _webhook(value: object) -> str | Secret:
    return value if isinstance(value, Secret) else check_webhook(value)


TimeOfDay = Annotated[str, BeforeValidator(_time), WithJsonSchema(json_forms.TIME)]
Webhook = Annotated[str | Secret, BeforeValidator(_webhook), WithJsonSchema(json_forms.WEBHOOK)]


class SentinelKeys(Keys):
    """Sentinel."""

    sentinel: Annotated[
        bool,
        Description(
            "Whether the host proves itself each night and after each boot, by a timer and without a controller.",
            accepts="True or False",
            change="to hear of a broken host before its users do",
            example=True,
        ),
    ] = False
    sentinel_at: Annotated[
        TimeOfDay,
        Description(
            "When the sentinel proves the host each day, in the host's time zone. It begins up to 10 minutes later.",
            accepts="a time such as `03:30`",
            change="if the host is in use at that time",
            example="05:00",
        ),
    ] = "03:30"
    sentinel_webhook: Annotated[
        Webhook | None,
        Description(
            "The address that the sentinel sends a JSON object to when a link breaks, and when the host has healed.",
            accepts="an address such as `https://alerts.example/fleet`, or a Secret",
            change="to get an alert. Give an address that contains a token as a Secret",
            example="https://alerts.example/fleet",
            default="none: the sentinel writes to the journal of the host",
        ),
    ] = None
    sentinel_key: Annotated[
        SecretValue | None,
        Description(
            "The key that signs each webhook (`X-Fleethands-Signature`, HMAC-SHA256), so that the receiver can check "
            "where it comes from.",
            accepts="a Secret of at least 16 characters",
            change="if others can reach the receiver",
            example=Secret.env("SENTINEL_KEY"),
            default="none: webhooks have no signature",
        ),
    ] = None
