"""Resolves the versions, models and images of a fleet to checksums and digests, from the controller."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fleethands import web
from fleethands.operations.ollama import release_checksums
from fleethands.operations.ollama.release_archives import EXTRA_ARCHIVES, archive_names
from fleethands.pinning import registry
from fleethands.pinning.registry import RegistryDigest, RegistryError
from fleethands.settings import HostSettings
from fleethands.settings.apply_pins import find_pinnable
from fleethands.settings.lockfile import LockfileContents, ModelPin
from fleethands.settings.schema.models import Model
from fleethands.settings.values.ollama_release import ARCHS


class UnknownPinName(LookupError):
    """A name that no host of the fleet uses; `near` are similar names."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        super().__init__(f"`{name}` is not a version, model or image of this fleet")
        self.near = difflib.get_close_matches(name, sorted(known), 3, cutoff=0.5) or sorted(known)[:5]


@dataclass(frozen=True)
class PinnableFleet:
    """
    What can be pinned for a fleet.

    + releases: version → addresses that its hosts download it from
    + unreachable: versions that the controller can't ask about, because their archives are on the hosts
    """

    releases: Mapping[str, frozenset[str]]
    models: Mapping[str, Model]
    images: frozenset[str]
    unreachable: frozenset[str]

    @classmethod
    def from_settings(cls, hosts: Iterable[HostSettings]) -> PinnableFleet:
        releases: dict[str, set[str]] = {}
        models: dict[str, Model] = {}
        images: set[str] = set()
        unreachable: set[str] = set()
        for settings in hosts:
            want = find_pinnable(settings)
            if want.release is not None:
                version, url = want.release
                releases.setdefault(version, set()).add(url)
                if urlsplit(url).scheme == "file" and settings.ollama_transfer == "host":
                    unreachable.add(version)
            models.update({str(model.name): model for model in want.models})
            images.update(want.images)
        places = {version: frozenset(urls) for version, urls in releases.items()}
        return cls(places, models, frozenset(images), frozenset(unreachable))

    @property
    def names(self) -> frozenset[str]:
        """All names that can be pinned."""
        return frozenset({*self.releases, *self.models, *self.images})

    def only(self, names: Collection[str]) -> PinnableFleet:
        """The part with these names, or everything without names. Raises UnknownPinName."""
        for name in names:
            if name not in self.names:
                raise UnknownPinName(name, self.names)
        if not names:
            return self
        return PinnableFleet(
            {version: urls for version, urls in self.releases.items() if version in names},
            {name: model for name, model in self.models.items() if name in names},
            self.images & frozenset(names),
            self.unreachable,
        )


@dataclass(frozen=True)
class PinResult:
    """The digests that were found, and the reasons why others were not."""

    document: LockfileContents
    unanswered: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """
    One entry of the lockfile that changes.

    + kind: ollama, model or image; before: None for a new entry
    """

    kind: str
    name: str
    before: str | None
    after: str


def resolve_pins(fleet: PinnableFleet) -> PinResult:
    """Ask for everything, each name once. Raises nothing."""
    listed = registry.map_concurrently(lambda version: _release(version, fleet), fleet.releases)
    releases = dict(zip(fleet.releases, listed, strict=True))
    models = {str(name): answer for name, answer in registry.look_up_models(fleet.models.values()).items()}
    found = registry.look_up_images(fleet.images)
    named = {f"Ollama {version}": each for version, each in releases.items()}
    answers: dict[str, object] = {**named, **models, **found}
    document = LockfileContents(
        ollama={version: each for version, each in releases.items() if not isinstance(each, RegistryError)},
        models={
            name: ModelPin(digest=each.digest, size=each.size)
            for name, each in models.items()
            if isinstance(each, RegistryDigest)
        },
        images={name: each for name, each in found.items() if not isinstance(each, RegistryError)},
    )
    return PinResult(document, {name: each.reason for name, each in answers.items() if isinstance(each, RegistryError)})


def merge_contents(old: LockfileContents, new: LockfileContents) -> LockfileContents:
    """The old entries, updated with the new ones. Entries of other fleets of the project stay."""
    return LockfileContents(
        ollama={**old.ollama, **new.ollama}, models={**old.models, **new.models}, images={**old.images, **new.images}
    )


def compare_contents(old: LockfileContents, new: LockfileContents) -> list[Difference]:
    """The new entries that differ from the old ones, sorted."""
    before, after = _flat(old), _flat(new)
    changed = {key for key, text in after.items() if before.get(key) != text}
    return [Difference(*key, before.get(key), after[key]) for key in sorted(changed)]


def find_missing(fleet: PinnableFleet, document: LockfileContents) -> list[str]:
    """What a fleet uses and the lockfile does not have."""
    known = {*document.models, *document.images, *document.ollama}
    return sorted(fleet.names - known)


def _flat(document: LockfileContents) -> dict[tuple[str, str], str]:
    files = {
        ("ollama", f"{version} {name}"): digest
        for version, each in document.ollama.items()
        for name, digest in each.items()
    }
    models = {("model", name): pin.digest for name, pin in document.models.items()}
    return {**files, **models, **{("image", name): digest for name, digest in document.images.items()}}


def _release(version: str, fleet: PinnableFleet) -> dict[str, str] | RegistryError:
    """File → sha256 of each archive of a release that a host may need; all mirrors must agree."""
    if version in fleet.unreachable:
        return RegistryError("its archives are on the hosts (`file://`): set `ollama_sha256`")
    found: dict[str, dict[str, str]] = {}
    for url in sorted(fleet.releases[version]):
        place = f"{web.public_url(url)}/v{version}/{release_checksums.NAME}"
        answer = registry.fetch(
            f"{url}/v{version}/{release_checksums.NAME}", "release", most=release_checksums.MAX_BYTES
        )
        if isinstance(answer, RegistryError):
            return answer
        try:
            found[url] = release_checksums.parse_checksums(answer, _needed(version))
        except ValueError as error:
            return RegistryError(f"{place}: {error}")
        if not found[url]:
            return RegistryError(f"{place} lists no archive for Linux")
    first, *others = found
    for other in others:
        shared = found[first].keys() & found[other].keys()
        if odd := next((name for name in sorted(shared) if found[first][name] != found[other][name]), None):
            return RegistryError(
                f"{web.public_url(first)} and {web.public_url(other)} have different checksums for {odd}"
            )
    return {name: digest for each in found.values() for name, digest in each.items()}


def _needed(version: str) -> set[str]:
    return {
        name
        for arch in ARCHS.values()
        for extra in ("whole", *EXTRA_ARCHIVES)
        for name in archive_names(version, arch, extra)
    }
