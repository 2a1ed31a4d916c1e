"""Finds all packages that a bare host of a suite may have to install."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fleethands.debian.archive import HINT, PocketAddress, read_release, read_stanzas
from fleethands.debian.errors import ArchiveError
from fleethands.debian.mirrors import mirror_of
from fleethands.debian.packages import Need, Package, PackageSet
from fleethands.debian.suites import Suite


def read_packages(suite: Suite, arch: str, mirrors: Mapping[str, str], keyring: Path) -> PackageSet:
    """The packages of a suite and its updates. Raises ArchiveError."""
    found = PackageSet()
    for pocket in suite.pockets(arch):
        root = mirror_of(pocket.mirror, mirrors)
        release = read_release(PocketAddress(suite, pocket.name, root), keyring)
        found.add(read_stanzas(release, arch), root)
    return found


def resolve_packages(suite: Suite, names: Iterable[str], packages: PackageSet) -> list[Package]:
    """
    The named packages and all their dependencies, sorted by name.

    Packages that every host has are among them, because an update of one may need an update of the other. apt on the
    host installs only what the host lacks.

    Raises ArchiveError for a package that the archive does not have.
    """
    found: dict[str, Package] = {}
    waiting = [_find(suite, (Need(name),), packages, "it is needed") for name in names]
    while waiting:
        package = waiting.pop()
        if package.name in found:
            continue
        found[package.name] = package
        waiting += [_find(suite, group, packages, f"{package.name} depends on it") for group in package.needs]
    return [found[name] for name in sorted(found)]


def _find(suite: Suite, group: tuple[Need, ...], packages: PackageSet, why: str) -> Package:
    package = next((found for need in group if (found := packages.find(need)) is not None), None)
    if package is None:
        names = " or ".join(need.name for need in group) or "a package"
        raise ArchiveError(f"the archive of {suite.name} has no {names}, and {why}", HINT)
    return package
