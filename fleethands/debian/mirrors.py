"""Where the archives of packages are: what this machine's apt uses, or what `--mirror` names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fleethands.debian.errors import ArchiveError
from fleethands.debian.suites import ARCHIVES
from fleethands.errors import UsageError

APT = Path("/etc/apt")
SCHEMES = ("http", "https")
_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s")  # man 5 sources.list, the format of one line
_FIELD = re.compile(r"^URIs:((?:.|\n[ \t])*)", re.MULTILINE | re.IGNORECASE)  # and deb822


def find_mirrors(pairs: Iterable[str], apt: Path = APT) -> Mapping[str, str]:
    """
    The address of each archive: `NAME=URL` of `--mirror`, then the first one in the sources of this machine's apt.

    + apt: the directory with `sources.list` and `sources.list.d`

    Raises UsageError for a wrong pair.
    """
    found: dict[str, str] = {}
    for url in _read_sources(apt):
        name = url.rpartition("/")[2]
        if name in ARCHIVES and "@" not in urlsplit(url).netloc:  # a password is not for other files
            found.setdefault(name, url)
    return {**found, **dict(_parse_pair(pair) for pair in pairs)}


def mirror_of(archive: str, mirrors: Mapping[str, str]) -> str:
    """The address of one archive. Raises ArchiveError if none is known."""
    if archive not in mirrors:
        raise ArchiveError(
            f"this machine's apt has no mirror of the archive {archive}", f"name one: --mirror {archive}=URL"
        )
    return mirrors[archive]


def _read_sources(apt: Path) -> Iterator[str]:
    folder = apt / "sources.list.d"
    for path in [apt / "sources.list", *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        if path.suffix == ".list":
            words = [match[1] for line in lines if (match := _LINE.match(line.strip()))]
        else:
            words = [word for match in _FIELD.finditer("\n".join(lines)) for word in match[1].split()]
        yield from (word.rstrip("/") for word in words if urlsplit(word).scheme in SCHEMES)


def _parse_pair(pair: str) -> tuple[str, str]:
    name, _, url = pair.partition("=")
    if name not in ARCHIVES:
        raise UsageError(f"`--mirror {name}`: expected NAME=URL, where NAME is one of {', '.join(ARCHIVES)}")
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES or not urlsplit(url).hostname:
        wanted = f"`--mirror {name}=…`: expected an address with http:// or https://"
        raise UsageError(f"{wanted}, got {scheme}://" if scheme else wanted)
    return name, url.rstrip("/")
