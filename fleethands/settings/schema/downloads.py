"""Settings of downloads."""

from __future__ import annotations

from typing import Annotated

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import Rate


class DownloadKeys(Keys):
    """Downloads."""

    download_limit: Annotated[
        Rate | None,
        Description(
            "How many bytes a second a host may download of releases, models and images.",
            accepts="a rate such as `8 MiB/s` or `100 Mbit/s`, from `16 KiB/s`",
            change="on a line that others use too, such as that of an office",
            example="100 Mbit/s",
            default="no limit",
        ),
    ] = None
