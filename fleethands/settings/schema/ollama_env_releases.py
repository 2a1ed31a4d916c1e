"""The releases of Ollama that read a variable: the final tags v0.0.1 to v0.32.15 whose Go sources contain its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleethands.settings.schema.ollama_env import VARIABLES, describe_unknown

NEWEST = "0.32.15"
# first and last release; every release reads the variables of libraries, of Go and of proxies
READ_BY = {
    "OLLAMA_DEBUG": ("0.1.21", ""),
    "OLLAMA_DEBUG_LOG_REQUESTS": ("0.18.3", ""),
    "OLLAMA_FLASH_ATTENTION": ("0.1.39", ""),
    "OLLAMA_GO_TEMPLATE": ("0.30.0", ""),
    "OLLAMA_GPU_OVERHEAD": ("0.3.10", ""),
    "OLLAMA_IGPU_ENABLE": ("0.30.0", ""),
    "OLLAMA_KV_CACHE_TYPE": ("0.5.0", ""),
    "OLLAMA_LLM_LIBRARY": ("0.1.21", ""),
    "OLLAMA_LOAD_TIMEOUT": ("0.3.10", ""),
    "OLLAMA_MAX_LOADED_MODELS": ("0.1.33", ""),
    "OLLAMA_MAX_QUEUE": ("0.1.34", ""),
    "OLLAMA_MAX_TRANSFER_STREAMS": ("0.23.3", ""),
    "OLLAMA_NOHISTORY": ("0.1.39", ""),
    "OLLAMA_NOPRUNE": ("0.0.19", ""),
    "OLLAMA_NO_CLOUD": ("0.16.2", ""),
    "OLLAMA_NUM_PARALLEL": ("0.1.33", ""),
    "OLLAMA_REMOTES": ("0.12.0", ""),
    "OLLAMA_SCHED_SPREAD": ("0.1.45", ""),
    "OLLAMA_VULKAN": ("0.12.11", ""),
    "OLLAMA_API_KEY": ("0.23.0", ""),
    "OLLAMA_CLOUD_BASE_URL": ("0.18.0", ""),
    "LLAMA_ARG_FIT": ("0.30.0", ""),
    "LLAMA_ARG_FIT_TARGET": ("0.30.0", ""),
    "OLLAMA_EXPERIMENT": ("0.6.0", ""),
    "OLLAMA_INTEL_GPU": ("0.1.45", "0.12.10"),
    "OLLAMA_MAX_VRAM": ("0.1.29", "0.6.8"),
    "OLLAMA_MULTIUSER_CACHE": ("0.3.13", "0.24.0"),
    "OLLAMA_NEW_ENGINE": ("0.5.12", "0.24.0"),
    "OLLAMA_NEW_ESTIMATES": ("0.11.5", "0.11.10"),
    "OLLAMA_REGISTRY_MAXSTREAMS": ("0.5.13", "0.31.1"),
    "OLLAMA_RUNNERS_DIR": ("0.1.33", "0.3.10"),
    "OLLAMA_TMPDIR": ("0.1.32", "0.6.5"),
}


def describe_releases(name: str) -> str:
    """The releases that read a variable, as text; empty if all do."""
    first, last = READ_BY.get(name, ("", ""))
    if last:
        return f"{first} to {last}"
    return f"from {first}" if first else ""


def find_unread(names: Iterable[str], release: str) -> Iterator[tuple[str, str]]:
    """(name, reason) of each variable that a release no longer reads, or that no release is known to read."""
    for name in names:
        last = READ_BY.get(name, ("", ""))[1]
        if last and is_newer(release, last):
            yield name, f"read by Ollama {describe_releases(name)}, not by {release}"
        elif _is_unknown(name) and not is_newer(release, NEWEST):
            yield name, describe_unknown(name)


def notes(names: Iterable[str], release: str) -> Iterator[str]:
    """Notes about variables that may have no effect: of a later release, or unknown for a release this new."""
    for name in names:
        first = READ_BY.get(name, ("", ""))[0]
        if first and is_newer(first, release):
            yield f"Ollama {release} does not read {name}, which is read from {first} on"
        elif _is_unknown(name):
            yield f"whether Ollama {release} reads {name} is not known: its variables are listed up to {NEWEST}"


def is_newer(release: str, other: str) -> bool:
    """Whether a release is newer than another. A release candidate (`-rc1`) counts as its release."""
    return _numbers(release) > _numbers(other)


def _is_unknown(name: str) -> bool:
    return name.startswith("OLLAMA_") and name not in VARIABLES


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.partition("-")[0].split(".")))
