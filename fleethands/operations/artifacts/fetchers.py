"""The scripts of the units that fetch the parts of artifacts on a host."""

from __future__ import annotations

from collections.abc import Mapping

from fleethands import paths
from fleethands.operations.core import scripts
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES

# seconds without a new byte
STALL_TIMEOUT = 60
MAX_FAILURES = 6  # in a row without a new byte
FLOOR = 64 << 20  # bytes; a download stops if fewer are free
# of scripts that bring images
IMAGE_PARTS = ("part_store", "keep_parts", "join_unit", "fetch", "image_records", "load_image")
SHARED = ("web", "part_store", "fetch_unit", "fetch_parts", "neighbors")


def release_fetcher(settings: HostSettings) -> str:
    """The text of the unit's script for an archive of a release; empty on a host that does not fetch parts."""
    return _text(settings, "fetch_release")


def image_fetcher(settings: HostSettings) -> str:
    """The same for an image."""
    return _text(settings, "json", "registry", "image_parts", "fetch_image")


def model_fetcher(settings: HostSettings, values: Mapping[str, str]) -> str:
    """
    The same for a model, which the unit puts into Ollama's store as well.

    + values: the variables that say which model. fetch_model.sh says what they mean
    """
    script = _fetcher(settings, "owned", "blobs", "spelled", "json", "image_parts", "import_model", "fetch_model")
    return script.with_values(**values).text


def _text(settings: HostSettings, *names: str) -> str:
    return _fetcher(settings, *names).text if settings.fetches_parts else ""


def _fetcher(settings: HostSettings, *names: str) -> Script:
    environment = settings.ollama_environment
    values = {
        "limit": "" if settings.download_limit is None else str(settings.download_limit),
        "patience": str(STALL_TIMEOUT),
        "tries": str(MAX_FAILURES),
        "floor": str(FLOOR),
        "store": paths.ARTIFACTS,
    }
    proxies = {key: environment[key] for key in PROXY_VARIABLES if key in environment}
    return Script(scripts.join(*SHARED, *names), values, proxies)
