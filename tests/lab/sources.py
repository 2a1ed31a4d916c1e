"""Where this machine's packages come from, for the Debian hosts that it builds."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tests.lab.shell import run

FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"


def debian(suite: str) -> list[str]:
    """
    The lines of a sources.list for `suite`, from the Debian archives that this machine itself uses.

    Empty where it uses none (Ubuntu): mmdebstrap then knows Debian's own.
    """
    targets = run("apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages").stdout
    lines: dict[str, None] = {}
    for target in targets.splitlines():
        uri, release, component, origin = (target.split(" ", 3) + [""] * 4)[:4]
        pocket = _pocket(release)
        if component == "main" and pocket is not None and _is_debian(uri, origin):
            lines[f"deb {uri} {suite}{pocket} main"] = None
    return list(lines)


def _pocket(release: str) -> str | None:
    """What follows the code name: nothing, `-updates` or `-security`."""
    codename, dash, rest = release.partition("-")
    known = codename.isalpha() and rest in {"", "updates", "security"}
    return dash + rest if known else None


def _is_debian(uri: str, origin: str) -> bool:
    if origin and not origin.startswith("$"):
        return origin == "Debian"
    return Path(urlsplit(uri).path).name.startswith("debian")
