"""Reads the settings of a whole fleet, and names every mistake in it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from fleethands.settings import lockfile
from fleethands.settings.host import HostSettings
from fleethands.settings.lockfile import Lockfile, LockfileError
from fleethands.settings.renamed import find_old_keys, translate
from fleethands.settings.validation.cross_field import find_conflicts
from fleethands.settings.validation.drop_invalid import drop_invalid
from fleethands.settings.validation.encodable import is_text
from fleethands.settings.validation.errors import InvalidSetting, SettingsError, mask_userinfo, show_value
from fleethands.settings.validation.messages import describe_error
from fleethands.settings.validation.unknown_keys import misspelled_keys

if TYPE_CHECKING:
    from pyinfra.api.host import Host

__all__ = ["InvalidSetting", "SettingsError", "read_fleet", "settings_for"]


def read_fleet(fleet: Mapping[str, Mapping[str, Any]], lock: Lockfile | None = None) -> dict[str, HostSettings]:
    """
    Settings of each host, from its host data, held to a lock.

    + fleet: host name → host data; keys that are not ours (ssh_user, …) are left alone
    + lock: None for that of the working directory

    Raises SettingsError with every mistake of every host, LockfileError for a lock that can't be read.
    """
    mistakes: list[InvalidSetting] = []
    settings: dict[str, HostSettings] = {}
    lock = lockfile.load_lockfile(lockfile.lockfile_path()) if lock is None else lock
    for host, data in fleet.items():
        settings[host], found = _read(data)
        if not found:
            settings[host], found = lockfile.apply_pins(settings[host], lock)
        mistakes += [InvalidSetting(host, path, problem) for path, problem in found]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _read(data: Mapping[str, Any]) -> tuple[HostSettings, list[tuple[str, str]]]:
    """One host's settings and its mistakes. With mistakes, settings are those of what is right."""
    found = [
        (key, mask_userinfo(f"{said}, got {show_value(key, data[key])}", data[key]))
        for key, said in misspelled_keys(data)
    ]
    found += find_old_keys(data)
    data = translate(data)  # so that the values under old names are checked too
    ours = {key: value for key, value in data.items() if key in HostSettings.model_fields}
    for key in [key for key, value in ours.items() if isinstance(value, dict) and not is_text(list(value))]:
        found.append((key, "expected names that can be written as UTF-8"))
        del ours[key]  # pydantic can't name them either
    details = []
    try:
        settings = HostSettings(**ours)
    except ValidationError as error:
        details = [each for each in error.errors() if each["type"] != "default_factory_not_called"]
        settings = HostSettings(**drop_invalid(ours, [each["loc"] for each in details]))
    paths = [".".join(str(part) for part in each["loc"]) for each in details]
    found += [(path, describe_error(path, each)) for path, each in zip(paths, details, strict=True)]
    wrong = {path.partition(".")[0] for path in paths}
    for conflict in find_conflicts(settings):
        if not conflict.reads & wrong and conflict.path not in paths:
            found.append((conflict.path, conflict.problem))
    return settings, found


def settings_for(host: Host) -> HostSettings:
    """
    One host's settings inside a deploy. The first call checks every host that the run is limited to.

    Raises pyinfra's InventoryError, which stops all hosts before anything is changed, with every mistake.
    """
    from pyinfra.api.exceptions import InventoryError  # noqa: PLC0415  settings are read without pyinfra elsewhere

    state, inventory = host.state, host.state.inventory
    if inventory not in _known:
        limited = [each for each in inventory if state.is_host_in_limit(each)]
        try:
            _known[inventory] = read_fleet({each.name: each.data.dict() for each in limited})
        except SettingsError as error:
            raise InventoryError(f"the inventory has mistakes, and nothing was changed\n\n{error}") from None
        except LockfileError as error:
            hints = "".join(f"\n\nhint: {hint}" for hint in error.hints)
            raise InventoryError(f"nothing was changed\n\nerror: {error}{hints}") from None
    return _known[inventory][host.name]


_known: WeakKeyDictionary[Any, dict[str, HostSettings]] = WeakKeyDictionary()
