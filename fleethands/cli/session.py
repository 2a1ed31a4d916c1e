"""From the words of a command line to hosts that are connected."""

from __future__ import annotations

import difflib
import json
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleethands.cli.command_line import typed, unvalued
from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output import report_files
from fleethands.cli.scaffold import source
from fleethands.cli.shell_completion import names, targets
from fleethands.fleet.ansible.kind import ENDINGS, PREFIX, ansible_file

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.fleet.shard import Shard
    from fleethands.ssh.timeouts import Limits

T = TypeVar("T")
EXAMPLES = {"example.py", "local.py"}
FILES = (".py", *ENDINGS)
PYTHONS = {
    "True": True,
    "False": False,
    "None": None,
}  # as inventories have them; the rest of `--data` is JSON, or a word


def fleet_options(command: Any) -> Any:
    """What every command takes that reads a fleet."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _joined(_context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> str:
    """One list of all, as `--hosts a --hosts b,c` means three hosts."""
    return ",".join(values) if values else {"hosts": "*"}.get(str(option.name), "")


def _which(name: str, text: str) -> Any:
    return click.option(name, multiple=True, callback=_joined, metavar="PATTERN", help=text, shell_complete=names)


_OPTIONS = (
    click.argument("target", required=False, shell_complete=targets),
    _which("--hosts", "Only these hosts: names, patterns as `gpu-*`, groups; with commas between."),
    _which("--exclude", "Not these hosts; in the same words."),
    click.option("--shard", default="", metavar="I/N", help="Only part I of N of the fleet, the same in every run."),
    click.option("--data", multiple=True, metavar="KEY=VALUE", help="A setting, for all hosts."),
    report_files.JSON,
)


def connected(target: str, **options: Any) -> Engine:
    """An engine whose hosts are reached. Raises Trouble for a wrong target, and for mistakes before any connection."""
    return reached(checked(target, **options))


def reached(engine: Engine) -> Engine:
    """The same engine, with its hosts reached."""
    from fleethands.engine.interrupts import Interrupts  # noqa: PLC0415

    try:
        with Interrupts():
            engine.connect()
    except BaseException:
        engine.close()
        raise
    return engine


def checked(target: str, upstream: bool = False, **options: Any) -> Engine:
    """An engine whose hosts' settings are right. Raises Trouble; no host is contacted."""
    engine = unconnected(target, **options)
    settled(engine.settings, *_first_models(target, options))
    if upstream:
        engine.ask_registries(lambda line: click.echo(line, err=True))
    return engine


def settled(read: Callable[[], T], *hints: str) -> T:
    """
    What settings are read by.

    + hints: where models are missing

    Raises Trouble for mistakes in them, and for a lock that can't be read.
    """
    from fleethands.settings import LockfileError, SettingsError  # noqa: PLC0415

    try:
        return read()
    except SettingsError as error:
        report_files.note_mistakes(error.mistakes)
        click.echo(str(error), err=True)
        count = len(error.mistakes)
        what = "1 mistake" if count == 1 else f"{count} mistakes"
        found = hints if any(each.path == "models" for each in error.mistakes) else ()
        raise Trouble(f"{what} in the inventory, no host was contacted", *found) from None
    except LockfileError as error:
        raise Trouble(str(error), *error.hints) from None


def unconnected(
    target: str,
    data: tuple[str, ...],
    hosts: str,
    exclude: str,
    extra: Mapping[str, Any] | None = None,
    shard: str = "",
    only: frozenset[str] | None = None,
    **limits: Limits,
) -> Engine:
    """An engine whose hosts are known, and not reached yet. Raises Trouble for a wrong target; leaves an empty part."""
    from fleethands.engine.engine import Engine  # noqa: PLC0415
    from fleethands.fleet.ansible.notes import Unreachable  # noqa: PLC0415
    from fleethands.fleet.host_address import WrongName  # noqa: PLC0415
    from fleethands.fleet.inventory import WrongInventory  # noqa: PLC0415
    from fleethands.fleet.selection import NoHosts, Pick, few  # noqa: PLC0415
    from fleethands.fleet.shard import EmptyShard  # noqa: PLC0415
    from fleethands.operations.core.provenance import made_from  # noqa: PLC0415
    from fleethands.ssh.client import left_out  # noqa: PLC0415

    values = {**dict(_pair(text) for text in data), **(extra or {})}
    words = spoken(target, data, hosts, exclude, shard=shard)
    try:
        engine = Engine.load(target, project(), values, Pick(hosts, exclude, _part(shard), only), words, **limits)
    except NoHosts as error:
        raise Trouble(str(error), *error.hints, code=USAGE) from None
    except WrongName as error:
        raise Trouble(str(error), *error.hints, code=1 if os.path.isfile(target) else USAGE) from None
    except (WrongInventory, Unreachable) as error:
        raise Trouble(str(error), *error.hints) from None
    except EmptyShard as error:
        report_files.leave_empty(str(error), words, shard)
    if gone := sorted((only or frozenset()) - set(engine.inventory.hosts)):
        click.echo(f"warning: of the report's hosts {target} has these no more: {few(gone, 10)}", err=True)
    for line in [*engine.warnings, *left_out(engine.hosts)]:
        click.echo(f"warning: {line}", err=True)
    made_from(target.removeprefix(PREFIX))
    report_files.note_engine(engine, words, shard)
    return engine


def _part(text: str) -> Shard:
    from fleethands.fleet.shard import WHOLE, Shard  # noqa: PLC0415

    try:
        return Shard.parse(text) if text else WHOLE
    except ValueError as error:
        raise Trouble(f"`--shard` {error}", code=USAGE) from None


def _first_models(target: str, options: Mapping[str, Any]) -> list[str]:
    """What to type for hosts that no inventory says anything of, as `root@box`."""
    data = options["data"]
    if (path := ansible_file(target)) is not None:
        return [f"declare them in {path.parent / 'group_vars/all.yml'}, as `models: [codellama:7b]`"]
    if target.endswith(FILES) or os.path.isfile(target) or any(pair.startswith("models=") for pair in data):
        return []
    context = click.get_current_context()
    command, yes = context.command_path.partition(" ")[2], " --yes" if context.params.get("yes") else ""
    data = (*data, 'models=["codellama:7b"]')
    words = typed(spoken(target, data, options["hosts"], options["exclude"], shard=options.get("shard", "")))
    return [
        f"say which: fleethands {command} {words}{yes}",
        "to keep it in a file of your own: fleethands init DIR",
    ]


def upstream_option(command: Any) -> Any:
    """For commands that compare with registries, if they are asked to."""
    text = "Ask registries, too, whether a tag moved."
    return click.option("--upstream", is_flag=True, help=text)(command)


def spoken(
    target: str, data: tuple[str, ...], hosts: str, exclude: str, upstream: bool = False, shard: str = ""
) -> str:
    """The same hosts and settings, as words of a command line; values of variables, which may be secrets, left out."""
    words = [target]
    words += ["--hosts", hosts] if hosts != "*" else []
    words += ["--exclude", exclude] if exclude else []
    words += [word for pair in data for word in ("--data", pair)]
    words += ["--shard", shard] if shard else []
    words += ["--upstream"] if upstream else []
    return unvalued(shlex.join(words))


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Trouble(f"`--data {text}`: expected KEY=VALUE", code=USAGE)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, PYTHONS.get(value, value)


def project() -> Path:
    """Where deploy.py is: here, or with the package itself."""
    here = Path.cwd()
    return here if (here / "deploy.py").is_file() else source()


def inventories() -> list[str]:
    """The inventories of this directory, pyinfra's before Ansible's."""
    return [path.as_posix() for ending in FILES for path in sorted(Path("inventory").glob(f"*{ending}"))]


def chosen(target: str | None) -> str:
    """The target that was given, or the one inventory of this directory. Raises Trouble."""
    choices = inventories()
    if target is not None:
        if target.endswith(FILES) and not Path(target.removeprefix(PREFIX)).is_file():
            near = difflib.get_close_matches(target, choices, 1)
            raise Trouble(f"there is no inventory `{target}`", *(f"nearest is `{name}`" for name in near), code=USAGE)
        return target
    written = [path for path in choices if Path(path).name not in EXAMPLES]
    own = [path for path in written if path.endswith(".py")] or written  # beside those, a .yml may be anything
    if len(own) == 1:
        return own[0]
    names = ", ".join(f"`{path}`" for path in own or choices) or "none"
    raise Trouble(
        "no target is given, and inventory/ does not have exactly one of your own",
        f"name one: {names}, or a host as `root@box`",
        code=USAGE,
    )
