"""Installs packages of the distribution, unless apt would change others that are in use."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fleethands.bundle.bundle_set import open_bundles
from fleethands.facts import Probe
from fleethands.facts.apt import Apt, Package
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.settings import HostSettings
from fleethands.settings.packages import ENGINE, NGINX, needed_packages
from fleethands.settings.values.ollama_release import ARCHS
from fleethands.text.format import format_size

MOST = 20  # names in a refusal
# an upgrade restarts them, and stops the containers that they run
ENGINES = frozenset({"containerd", "containerd.io", "docker-ce", "docker.io", "moby-containerd", "moby-engine", "runc"})


@dataclass(frozen=True)
class InstallPackages(HostScript, file="install_packages", parts=("part_store", "package_repository")):
    """
    Installs packages, unless apt would remove one for them.

    + packages: names with blanks between them; engines: packages that must not be upgraded
    + unstarted: units of these packages that must not run, with blanks between them
    + debs: lines `DIGEST NAME` of the packages of a bundle; empty without a bundle
    """

    packages: str
    engines: str
    unstarted: str = ""
    debs: str = ""


@operation
def install(settings: HostSettings, probe: Probe) -> Decision:
    """Install what the settings need. No package is removed, and no Docker engine is upgraded."""
    missing = missing_packages(settings, probe)
    if not missing:
        return Unchanged(f"{', '.join(needed_packages(settings))} are installed")
    apt = probe.apt if set(probe.apt.wanted) == set(missing) else Apt()
    if refused := _check_apt(apt, missing):
        return refused

    def predict(probe: Probe) -> Probe:
        docker = replace(probe.docker, installed=True) if {"docker.io", "docker-cli"} & set(missing) else probe.docker
        firewall = replace(probe.firewall, installed=True) if "nftables" in missing else probe.firewall
        return probe.replace(packages=probe.packages | set(missing), docker=docker, firewall=firewall)

    return Change(
        "packages",
        "missing",
        " ".join([*missing, *_dependencies(apt, missing)]),
        InstallPackages(
            " ".join(missing), " ".join(sorted(ENGINES)), _unstarted(missing), _bundled(settings, probe)
        ).script,
        predict,
        why="later steps need them",
        consequence="from the bundle; apt reads nothing else" if settings.pins.bundles else _describe_effect(apt),
    )


def _unstarted(missing: list[str]) -> str:
    """The gateway has a unit of its own; the package's would serve a page to everybody."""
    return "nginx.service" if set(missing) & set(NGINX.split("|")) else ""


def _bundled(settings: HostSettings, probe: Probe) -> str:
    """The packages of the bundle for this host."""
    bundles = open_bundles(settings.pins.bundles)
    arch = ARCHS.get(probe.system.arch, "")
    found = bundles.packages(suite_of(probe), arch) if bundles else []
    return "\n".join(f"{each.digest} {each.name}" for each in found)


def suite_of(probe: Probe) -> str:
    """The suite of a host: what `fleethands bundle create --suite` takes."""
    return f"{probe.system.os_id}-{probe.system.os_version}"


def missing_packages(settings: HostSettings, probe: Probe) -> list[str]:
    """Names of the packages that a host lacks."""
    missing = []
    for names in needed_packages(settings):
        first = names.partition("|")[0]
        if probe.packages & set(names.split("|")):
            # since Debian 13, apt without recommended packages installs the engine without its command
            missing += ["docker-cli"] if names == ENGINE and not probe.docker.installed else []
        elif names != ENGINE or probe.docker.version is None:  # any engine that answers is enough
            missing.append(first)
    return missing


def _dependencies(apt: Apt, missing: list[str]) -> list[str]:
    """The dependencies of the missing packages."""
    return [each.name for each in apt.installed if each.name not in missing]


def _check_apt(apt: Apt, missing: list[str]) -> Refused | None:
    """Refuse if apt would change packages that are in use, or would install nothing."""
    names = shlex.join(missing)
    look = f"see it, on the host: apt-get -s install --no-install-recommends {names}"
    yourself = f"if that may be, on the host: apt-get install --no-install-recommends {names}"
    engines = [each for each in apt.upgraded if each.name in ENGINES]
    for those, verb in ((apt.removed, "remove"), (apt.downgraded, "downgrade"), (engines, "upgrade and restart")):
        if those:
            used = "which are in use" if len(those) > 1 else "which is in use"
            reason = f"to install {' '.join(missing)}, apt would {verb} {_join_names(those)}, {used} on this host"
            return Refused(reason, (look, yourself))
    if apt.is_interrupted:
        reason = "dpkg was interrupted, and apt installs nothing before that is completed"
        return Refused(f"{reason}; missing is {' '.join(missing)}", ("on the host: dpkg --configure -a",))
    if apt.held:
        unhold = f"if they may change, on the host: apt-mark unhold {shlex.join(each.name for each in apt.held)}"
        return Refused(
            f"to install {' '.join(missing)}, apt would change {_join_names(apt.held)}, held on this host", (unhold,)
        )
    if apt.error and not apt.is_unknown:
        return Refused(f"apt cannot install {' '.join(missing)}: {apt.error}", (look,))
    return None


def _join_names(those: Sequence[Package]) -> str:
    names = " ".join(each.name for each in those[:MOST])
    return f"{names} and {len(those) - MOST} more" if len(those) > MOST else names


def _describe_effect(apt: Apt) -> str:
    """The download, and the packages that apt upgrades for it."""
    if not apt.has_lists:
        return "apt fetches its lists first; their dependencies and their size are not known before"
    if apt.error:
        return f"apt updates its lists first; with the lists that it has: {apt.error}"
    if not apt.installed:
        late = "apt gave no answer within 20 s" if apt.is_late else "apt was not asked"
        return f"{late}: their dependencies and their size are not known"
    count = len(apt.installed) + len(apt.upgraded)
    parts = [f"apt downloads {format_size(apt.size)} in {count} package{'s' if count > 1 else ''}"]
    if apt.upgraded:
        upgrades = (f"{each.name} {each.before} -> {each.version}" for each in apt.upgraded)
        parts.append(f"to fit them it upgrades {', '.join(upgrades)}; no other installed package changes")
    else:
        parts.append("no installed package changes")
    return "; ".join(parts)
