"""`fleethands trust`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.json_document import tell
from fleethands.cli.session import chosen, fleet_options, spoken, unconnected

if TYPE_CHECKING:
    from fleethands.ssh.host_keys import ScannedKey

BAD = {"changed", "revoked", "unreachable", "failed"}


@click.command()
@fleet_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def trust(target: str | None, as_json: bool, yes: bool, **options: Any) -> None:
    """Fetch host keys, show their fingerprints, write known_hosts. Exit 0: all are known, 1: one is not."""
    from fleethands.ssh.host_keys import asked  # noqa: PLC0415

    target = chosen(target)
    if not yes and (as_json or not sys.stdin.isatty()):
        raise Trouble("nobody is there to compare the keys", "to accept them unseen: add `--yes`", code=USAGE)
    engine = unconnected(target, **options)
    words = spoken(target, **options)
    shown = asked(engine.hosts)
    if not as_json:
        _show(shown, words)
    new = [each for each in shown if each.status == "new"]
    if new and not yes and not click.confirm(f"Write {_counted(new)} to {_files(new)}?", err=True):
        raise Trouble("not confirmed, nothing was written")
    _write(new)
    failed = any(each.status in BAD for each in shown)
    if as_json:
        tell(_document(shown))
    else:
        if new:
            click.echo(f"{_counted(new)} written to {_files(new)}")
        command = "trust" if failed else "plan"
        click.echo(f"\n{'When the cause is gone, run' if failed else 'Run'}: fleethands {command} {words}")
    sys.exit(1 if failed else 0)


def _show(shown: list[ScannedKey], words: str) -> None:
    width = max(len(each.host) for each in shown)
    for each in shown:
        click.echo(f"{each.host:<{width}}  {each.status:<11}  {each.fingerprint or each.reason}")
    if any(each.status == "new" for each in shown):
        click.echo("\nTo compare, on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    for each in shown:
        if note := _note(each):
            click.echo(f"note: {each.host}: {note}")
    for each in shown:
        reason, hints = _trouble(each, words)
        if reason:
            Trouble(f"{each.host}: {reason}", *hints).show()


def _note(each: ScannedKey) -> str:
    verdict = each.verdict if each.status == "new" else None
    if verdict is None or verdict.authority is None:
        return ""
    fault = f"its certificate {verdict.fault}" if verdict.fault else "it shows no certificate of the authority"
    return f"{fault} ({verdict.authority}): the key itself is what counts"


def _trouble(each: ScannedKey, words: str) -> tuple[str, list[str]]:
    from fleethands.ssh.diagnosis import refused_key  # noqa: PLC0415
    from fleethands.ssh.host_keys import line_fingerprint  # noqa: PLC0415

    if each.status in {"unreachable", "failed"}:
        return each.reason, [*each.hints]
    if each.status not in BAD or each.place is None or each.verdict is None:
        return "", []
    reason, hints = refused_key(f"`fleethands trust {words}`", each.place.name, each.verdict)
    was = each.verdict.line
    if each.status == "changed" and was is not None:
        reason = f"its key changed: known is {line_fingerprint(was)}, {was}; shown is {each.fingerprint}"
    return reason, hints


def _write(new: list[ScannedKey]) -> None:
    from fleethands.ssh.known_hosts import add  # noqa: PLC0415

    for path in sorted({each.place.known_hosts for each in new if each.place and each.place.known_hosts}):
        keys = [
            (each.place.name, each.key) for each in new if each.place and each.key and each.place.known_hosts == path
        ]
        try:
            add(path, keys)
        except OSError as error:
            raise Trouble(f"cannot write {path}: {error.strerror}", f"look at it: `ls -ld {path.parent}`") from None


def _counted(new: list[ScannedKey]) -> str:
    return f"{len(new)} key{'s' if len(new) != 1 else ''}"


def _files(new: list[ScannedKey]) -> str:
    return ", ".join(sorted({str(each.place.known_hosts) for each in new if each.place}))


def _document(shown: list[ScannedKey]) -> dict[str, Any]:
    bad = any(each.status in BAD for each in shown)
    changed = any(each.status == "new" for each in shown)
    return {
        "schema": 1,
        "command": "trust",
        "result": "failed" if bad else "changed" if changed else "unchanged",
        "hosts": {each.host: _host(each) for each in shown},
    }


def _host(each: ScannedKey) -> dict[str, Any]:
    reason, hints = _trouble(each, "TARGET")
    return {
        "status": "written" if each.status == "new" else each.status,
        "reason": reason or each.reason,
        "hints": hints,
        "name": each.place.name if each.place else "",
        "known_hosts": str(each.place.known_hosts) if each.place and each.place.known_hosts else "",
        "fingerprint": each.fingerprint,
    }
