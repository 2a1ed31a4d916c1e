"""Reads the settings of a whole fleet, and reports all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from fleethands.errors import FleethandsError
from fleethands.settings.apply_pins import apply_pins
from fleethands.settings.bundle_pins import add_bundle
from fleethands.settings.host import HostSettings
from fleethands.settings.lockfile import Lockfile, load_lockfile, lockfile_path
from fleethands.settings.renamed import find_old_keys, translate
from fleethands.settings.shared import Problems, SharedSettings
from fleethands.settings.sites import with_neighbors
from fleethands.settings.validation.cross_field import find_conflicts
from fleethands.settings.validation.drop_invalid import drop_invalid
from fleethands.settings.validation.encodable import is_text
from fleethands.settings.validation.errors import InvalidSetting, SettingsError, mask_userinfo, show_value
from fleethands.settings.validation.messages import describe_error
from fleethands.settings.validation.unknown_keys import misspelled_keys
from fleethands.settings.validation.unread_secrets import without_unread_secrets

if TYPE_CHECKING:
    from pyinfra.api.host import Host

__all__ = ["InvalidSetting", "SettingsError", "read_fleet", "settings_for"]


def read_fleet(fleet: Mapping[str, Mapping[str, Any]], lock: Lockfile | None = None) -> dict[str, HostSettings]:
    """
    The settings of each host, from its host data and the pins of a lockfile.

    + fleet: host name → host data; keys of pyinfra and of users are ignored
    + lock: None for the lockfile of the working directory

    Raises SettingsError with all mistakes of all hosts, LockfileError and BundleError.
    """
    lock = load_lockfile(lockfile_path()) if lock is None else lock
    shared = SharedSettings(lambda data: _read_pinned(data, lock, _same))
    settings, mistakes = _read_all(fleet, lambda _, data: shared.read(data))
    if mistakes:
        raise SettingsError(mistakes)
    return with_neighbors(settings)


def check_settings(
    fleet: Mapping[str, Mapping[str, Any]], lock: Lockfile
) -> tuple[dict[str, HostSettings], list[InvalidSetting], list[InvalidSetting]]:
    """
    The settings of each host, all mistakes, and all secrets whose value was not checked.

    Secrets of commands are not read, and neither are those that this machine does not have: a CI job that checks an
    inventory need not know them. Parameters as those of `read_fleet`.
    """
    unread: list[InvalidSetting] = []

    def settle(host: str, settings: HostSettings) -> HostSettings:
        known, found = without_unread_secrets(settings)
        unread.extend(InvalidSetting(host, path, problem) for path, problem in found)
        return known

    settings, mistakes = _read_all(fleet, lambda host, data: _read_pinned(data, lock, partial(settle, host)))
    return settings, mistakes, unread


def _same(settings: HostSettings) -> HostSettings:
    return settings


def _read_all(
    fleet: Mapping[str, Mapping[str, Any]], read: Callable[[str, Mapping[str, Any]], tuple[HostSettings, Problems]]
) -> tuple[dict[str, HostSettings], list[InvalidSetting]]:
    """
    The settings of each host, and all mistakes.

    + read: takes a host and its host data, and gives its settings and their problems
    """
    settings: dict[str, HostSettings] = {}
    mistakes: list[InvalidSetting] = []
    for host, data in fleet.items():
        settings[host], found = read(host, data)
        mistakes += [InvalidSetting(host, path, problem) for path, problem in found]
    return settings, mistakes


def _read_pinned(
    data: Mapping[str, Any], lock: Lockfile, settle: Callable[[HostSettings], HostSettings]
) -> tuple[HostSettings, Problems]:
    """
    One host's settings with their pins, and their problems.

    + settle: takes the valid settings, and gives those that are checked against each other
    """
    settings, found = _read(data, settle)
    return (settings, found) if found else apply_pins(settings, add_bundle(lock, data))


def _read(data: Mapping[str, Any], settle: Callable[[HostSettings], HostSettings]) -> tuple[HostSettings, Problems]:
    """One host's settings and their problems. Invalid values are left out of the settings."""
    found = _problems_of_keys(data)
    known = {key: value for key, value in translate(data).items() if key in HostSettings.model_fields}
    for key in [key for key, value in known.items() if isinstance(value, dict) and not is_text(list(value))]:
        found.append((key, "expected names that can be written as UTF-8"))
        del known[key]  # pydantic can't name them either
    settings, invalid = _validate(known)
    settings = settle(settings)
    found += invalid
    paths = {path for path, _ in invalid}
    meant = {InvalidSetting("", path, problem).nearest for path, problem in found}
    wrong = {path.partition(".")[0] for path in paths} | meant
    for conflict in find_conflicts(settings):
        if not conflict.reads & wrong and conflict.path not in paths:
            found.append((conflict.path, conflict.problem))
    return settings, found


def _problems_of_keys(data: Mapping[str, Any]) -> Problems:
    misspelled = misspelled_keys(data)
    found = [
        (key, mask_userinfo(f"{problem}, got {show_value(key, data[key])}", data[key])) for key, problem in misspelled
    ]
    return found + find_old_keys(data)


def _validate(data: dict[str, Any]) -> tuple[HostSettings, Problems]:
    """The settings, without invalid values, and a problem for each of these."""
    try:
        return HostSettings(**data), []
    except ValidationError as error:
        details = [each for each in error.errors() if each["type"] != "default_factory_not_called"]
    paths = [".".join(str(part) for part in each["loc"]) for each in details]
    problems = [(path, describe_error(path, each)) for path, each in zip(paths, details, strict=True)]
    return HostSettings(**drop_invalid(data, [each["loc"] for each in details])), problems


def settings_for(host: Host) -> HostSettings:
    """
    One host's settings inside a deploy. The first call checks all hosts of the run.

    Raises pyinfra's InventoryError with all mistakes, before anything is changed on any host.
    """
    from pyinfra.api.exceptions import InventoryError  # noqa: PLC0415  settings are also read without pyinfra

    state, inventory = host.state, host.state.inventory
    if inventory not in _known:
        limited = [each for each in inventory if state.is_host_in_limit(each)]
        try:
            _known[inventory] = read_fleet({each.name: each.data.dict() for each in limited})
        except SettingsError as error:
            raise InventoryError(f"the inventory has mistakes, and nothing was changed\n\n{error}") from None
        except FleethandsError as error:  # of the lockfile, or of a bundle
            hints = "".join(f"\n\nhint: {hint}" for hint in error.hints)
            raise InventoryError(f"nothing was changed\n\nerror: {error}{hints}") from None
    return _known[inventory][host.name]


_known: WeakKeyDictionary[Any, dict[str, HostSettings]] = WeakKeyDictionary()
