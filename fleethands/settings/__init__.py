"""The desired state of one host: flat keys of host data, read into one frozen value before anything connects."""

from fleethands.settings.host import HostSettings
from fleethands.settings.load import read_fleet, settings_for
from fleethands.settings.lockfile import LockfileError
from fleethands.settings.validation.errors import SettingsError
from fleethands.settings.values.secret import Secret

__all__ = ["HostSettings", "LockfileError", "Secret", "SettingsError", "read_fleet", "settings_for"]
