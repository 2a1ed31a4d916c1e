"""Settings of shared downloads."""

from __future__ import annotations

from typing import Annotated

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import Ip, Rate, SiteName


class SiteKeys(Keys):
    """Shared downloads."""

    share: Annotated[
        bool,
        Description(
            "Whether the hosts of a site pass releases, models and images on to each other while a run brings them.",
            accepts="True or False",
            change="to download once a site what several of its hosts need",
            example=True,
        ),
    ] = False
    site: Annotated[
        SiteName | None,
        Description(
            "The name of the network in which a host shares downloads. Hosts with the same name reach each other "
            "without a router to the internet between them.",
            accepts="letters, digits, `-`, `_` and `.`",
            change="with `share`, which needs it",
            example="office-2",
            default="none: the host shares nothing",
        ),
    ] = None
    share_keep: Annotated[
        bool,
        Description(
            "Whether a host that shares downloads keeps the archives and images that it downloaded, for hosts that are "
            "added to the site later.",
            accepts="True or False",
            change="to save the disk space. Hosts that are added later download these files from the internet",
            example=False,
        ),
    ] = True
    share_limit: Annotated[
        Rate | None,
        Description(
            "How many bytes a second a host may send to the other hosts of its site.",
            accepts="a rate such as `50 MiB/s` or `1 Gbit/s`, from `2 MiB/s`",
            change="if the network of the site carries other traffic, too",
            example="50 MiB/s",
            default="no limit",
        ),
    ] = None
    share_address: Annotated[
        Ip | None,
        Description(
            "The IP address by which the other hosts of the site reach this host.",
            accepts="an IP address",
            change="if the controller reaches the host by another address, or through a jump host",
            example="10.0.0.7",
            default="the address of the SSH connection",
        ),
    ] = None
