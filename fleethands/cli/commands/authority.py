"""`fleethands authority create|show`."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from fleethands.cli.gitignore import find_missing_line
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.errors import FleethandsError, UsageError
from fleethands.files import PRIVATE, create_file
from fleethands.tls.authority import Authority
from fleethands.tls.errors import TlsError


def create(writer: ReportWriter, path: str, name: str) -> int:
    try:
        authority = Authority.create(name, datetime.now(UTC))
    except TlsError as error:
        raise UsageError(f"`--name`: {error}", "for example: `--name 'our GPU hosts'`") from None
    _write(Path(path), authority)
    if writer.as_json:
        writer.print_json(_document("create", path, authority))
    else:
        click.echo(f"Created {path}, with a certificate and its private key\n")
        click.echo("\n".join(_summary(authority)))
        click.echo(f"\nAnyone who has {path} can make certificates that your clients trust. Do not commit it.")
    if missing := find_missing_line(Path(path)):
        click.echo(f"note: git does not ignore {path}: add the line `{missing.line}` to {missing.file}", err=True)
    if not writer.as_json:
        click.echo("\nWrite these lines into the inventory, the second into the data of the hosts with a gateway:\n")
        click.echo("from fleethands.settings import Secret")
        click.echo(f'    "gateway_authority": Secret.file({json.dumps(path, ensure_ascii=False)}),')
    return 0


def show(writer: ReportWriter, path: str) -> int:
    authority = _read(Path(path))
    if writer.as_json:
        writer.print_json(_document("show", path, authority))
        return 0
    click.echo("\n".join(_summary(authority)), err=True)
    if reason := authority.why_unusable(datetime.now(UTC)):
        click.echo(f"note: {path} cannot issue certificates: {reason}", err=True)
    click.echo(authority.certificate_pem, nl=False)
    return 0


def _write(path: Path, authority: Authority) -> None:
    try:
        create_file(path, authority.pem.encode(), PRIVATE)
    except FileExistsError:
        raise FleethandsError(
            f"`{path}` exists already; nothing was written",
            f"if it is the authority of your fleet, use it; see what it is: `{shlex.join(['ls', '-ld', str(path)])}`",
        ) from None
    except OSError as error:
        create = f"create its directory: `{shlex.join(['mkdir', '-p', str(path.parent)])}`"
        hint = "name a file in a directory that you can write to" if path.parent.is_dir() else create
        raise FleethandsError(f"cannot write `{path}`: {error.strerror}", hint) from None


def _read(path: Path) -> Authority:
    try:
        return Authority.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        create = f"if the fleet has none yet, create it: `{_command('create', path)}`"
        raise FleethandsError(f"there is no `{path}`", create) from None
    except OSError as error:
        problem = f"cannot read `{path}`: {error.strerror}"
    except UnicodeDecodeError:
        problem = f"`{path}` is not an authority: it is not PEM"
    except TlsError as error:
        problem = f"`{path}` is not an authority: {error}"
    create = _command("create", path.with_name("authority.pem"))
    raise FleethandsError(problem, f"name the file of your fleet's authority; if it has none yet: `{create}`") from None


def _command(action: str, path: Path) -> str:
    return shlex.join(["fleethands", "authority", action, str(path)])


def _summary(authority: Authority) -> list[str]:
    return [
        f"name         {authority.name}",
        f"valid until  {authority.ends:%Y-%m-%d}",
        f"sha256       {authority.fingerprint}",
    ]


def _document(action: str, path: str, authority: Authority) -> dict[str, Any]:
    return {
        "schema": 1,
        "command": f"authority {action}",
        "result": "changed" if action == "create" else "unchanged",
        "file": path,
        "name": authority.name,
        "ends": f"{authority.ends:%Y-%m-%dT%H:%M:%SZ}",
        "fingerprint": authority.fingerprint,
        "certificate": authority.certificate_pem,
    }
