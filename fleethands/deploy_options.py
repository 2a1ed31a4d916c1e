"""What the command line passes to a deploy file: host data whose keys begin with `fleethands_`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Any

PREFIX = "fleethands_"


@dataclass(frozen=True)
class DeployOptions:
    """
    Options of one run; each is host data of the same name with `fleethands_` before it.

    + verify: which hosts make a proof: `changed`, `always`, `never`
    + rollback_to: which release record: `current`, `previous`; None: by whether the host is proven
    + check_tags: model or image → digest that its registry has under this name now
    + checksums: read every byte of the models
    + conversation: hold a whole conversation in OpenHands
    + max_slowdown: by how much a host may be slower than its release record, such as `20%`; empty for no limit
    + bundle: files that everything comes from, instead of registries and mirrors
    + uninstall_models, uninstall_workspaces: remove them too
    """

    verify: str = "changed"
    rollback_to: str | None = None
    check_tags: Mapping[str, str] = field(default_factory=dict)
    checksums: bool = False
    conversation: bool = False
    max_slowdown: str = ""
    bundle: tuple[str, ...] = ()
    uninstall_models: bool = False
    uninstall_workspaces: bool = False

    @classmethod
    @cache  # each key of each host's data is looked up in it
    def defaults(cls) -> dict[str, Any]:
        """Key of the host data → default."""
        return {PREFIX + name: value for name, value in asdict(cls()).items()}

    @classmethod
    def from_host(cls, host: Any) -> DeployOptions:
        """Those that a pyinfra host was given; the defaults for the rest. For a flag, 0 and an empty text are False."""
        data: dict[str, Any] = host.data.dict()
        given: dict[str, Any] = {}
        for each in fields(cls):
            value = data.get(PREFIX + each.name)
            if value is not None:
                given[each.name] = bool(value) if isinstance(each.default, bool) else value
        return cls(**given)

    def to_host_data(self) -> dict[str, Any]:
        """Host data of those that are not the default."""
        default = self.defaults()
        return {key: value for name, value in asdict(self).items() if value != default[key := PREFIX + name]}
