"""What a host lacks and a bundle has to bring. The probe decides, as it does for downloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.bundle.bundle_set import BundleSet
from fleethands.bundle.index import Kind, PackedArtifact
from fleethands.facts import Probe
from fleethands.operations.models import models
from fleethands.operations.ollama import release
from fleethands.operations.openhands import container
from fleethands.operations.system import packages
from fleethands.settings import HostSettings
from fleethands.settings.openhands import sandbox_image
from fleethands.settings.values import modelfile
from fleethands.settings.values.ollama_release import ARCHS


@dataclass(frozen=True)
class Need:
    """
    One thing that a host lacks.

    + digest: as pinned; empty if any will do
    """

    kind: Kind
    name: str
    digest: str = ""
    version: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Contents:
    """
    What a bundle has of a host's needs.

    + artifacts: to send; problem: why the bundle will not do, empty if it will
    """

    artifacts: tuple[PackedArtifact, ...] = ()
    problem: str = ""


def find_contents(settings: HostSettings, probe: Probe, bundles: BundleSet) -> Contents:
    """The artifacts that a host lacks, or the first that the bundle cannot bring."""
    found: list[PackedArtifact] = []
    arch = ARCHS[probe.system.arch]
    if lacking := packages.missing_packages(settings, probe):
        those = bundles.packages(packages.suite_of(probe), arch)
        if absent := sorted(set(lacking) - {each.name for each in those}):
            return Contents(problem=f"has no packages {' '.join(absent)} of {packages.suite_of(probe)} for {arch}")
        found += those
    for need in find_needs(settings, probe):
        artifact, problem = _find(bundles, need, arch)
        if artifact is None:
            return Contents(problem=problem)
        found.append(artifact)
    if left := next((each for each in found if bundles.lacks(each)), None):
        return Contents(problem=f"leaves out {left.label}, because an older bundle has it")
    return Contents(tuple(dict.fromkeys(found)))


def find_needs(settings: HostSettings, probe: Probe) -> Iterator[Need]:
    """Archives, models and images that a host lacks."""
    for name, sha256 in release.lacking_archives(settings, probe).items():
        yield Need("release", name, f"sha256:{sha256}" if sha256 else "", settings.ollama_version)
    if settings.manages_ollama:
        for model in models.lacking_models(settings, probe, modelfile.load_modelfiles(settings)):
            yield Need("model", str(model.name), f"sha256:{model.digest}" if model.digest else "")
    for image in _lacking_images(settings, probe):
        yield Need("image", image, settings.pins.images.get(image, "") or image.partition("@")[2])


def _lacking_images(settings: HostSettings, probe: Probe) -> Iterator[str]:
    if settings.ollama_declared_image and probe.docker.ollama_image is None:
        yield settings.ollama_declared_image
    if not settings.declared_image:
        return
    if probe.docker.image is None:
        yield settings.declared_image
    sandbox = sandbox_image(settings)
    if sandbox and container.is_to_be_changed(settings, probe):  # the probe does not look for this one: the script does
        yield sandbox


def _find(bundles: BundleSet, need: Need, arch: str) -> tuple[PackedArtifact | None, str]:
    named = bundles.find(need.kind, need.name, need.version, arch)
    fitting = [each for each in named if need.digest in {"", each.digest}]
    if fitting:
        return fitting[0], ""
    if named:
        pinned = f"{need.digest[:19]}… is pinned, and it has {named[0].digest[:19]}…"
        return None, f"is outdated: of {need.label}, {pinned}"
    version = f" of {need.version}" if need.version else ""
    for_arch = f" for {arch}" if need.kind != "model" else ""
    return None, f"has no {need.label}{version}{for_arch}"
