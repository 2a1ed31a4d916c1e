"""Reads each section's lines into its value."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from fleethands.facts.probe import (
    ABSENT,
    Account,
    Accounts,
    File,
    Firewall,
    Made,
    Ollama,
    Process,
    Release,
    Store,
    Unit,
)
from fleethands.facts.protocol import decode
from fleethands.settings.values import ModelName

Lines = list[str]


def packages(known: Sequence[str]) -> Callable[[Lines], frozenset[str]]:
    """A reader for the packages that were asked for; dpkg leaves out those it has never heard of."""

    def read(lines: Lines) -> frozenset[str]:
        rows = [line.split(" ") for line in lines]
        states = {name: state for state, name in rows}
        if len(states) != len(rows) or not states.keys() <= set(known):
            raise ValueError("another package")
        return frozenset(name for name, state in states.items() if state == "installed")

    return read


def accounts(lines: Lines) -> Accounts:
    users: dict[str, Account] = {}
    groups = set()
    for line in lines:
        kind, rest = line.split(" ", 1)
        if kind == "group":
            groups.add(rest.split(":")[0])
        elif kind == "user":
            member_of, entry = rest.split(" ", 1)
            name, _, uid, gid, _, home, _ = entry.split(":")
            users[name] = Account(int(uid), int(gid), home, frozenset(member_of.split(",")))
        else:
            raise ValueError(kind)
    return Accounts(users, frozenset(groups))


def files(paths: Sequence[str]) -> Callable[[Lines], dict[str, File]]:
    """A reader for the files that were asked for, in their order."""

    def read(lines: Lines) -> dict[str, File]:
        return {path: _file(line.split(" ")) for path, line in zip(paths, lines, strict=True)}

    return read


def _file(words: list[str]) -> File:
    if words == ["absent"]:
        return ABSENT
    if words[0] == "link":
        _, uid, gid, target = words
        return File("link", uid=int(uid), gid=int(gid), target=decode("files", target).decode().removesuffix("\n"))
    kind, mode, uid, gid, user, group, size, mtime, content = words
    if kind not in {"file", "directory", "other"}:
        raise ValueError(kind)
    held = decode("files", content) if content != "-" else b"" if kind == "file" and size == "0" else None
    if held is not None and len(held) != int(size):
        raise ValueError("changed while it was read")
    return File(kind, mode.zfill(4), int(uid), int(gid), f"{user}:{group}", held, mtime=int(mtime))


def releases(lines: Lines) -> dict[str, Release]:
    found = {}
    for line in lines:
        version, size, mtime, mode, uid, sha256, wanted_size, wanted_mtime, *variant = line.split(" ")
        intact = [size, mtime, mode, uid] == [wanted_size, wanted_mtime, "755", "0"]
        found[version] = Release(sha256, intact, *variant)  # markers from before variants name none
    return found


def units(lines: Lines) -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    row: dict[str, str] = {}
    for line in [*lines, "Id="]:
        key, _, value = line.partition("=")
        # systemd prints each unit's properties in its own order; a key seen again begins the next unit
        if key in row or (key == "Id" and not value):
            found[row["Id"]] = _unit(row)
            row = {}
        row[key] = value
    return found


def _unit(row: dict[str, str]) -> Unit:
    return Unit(
        load=row["LoadState"],
        active=row["ActiveState"],
        sub=row["SubState"],
        enabled=row["UnitFileState"],
        pid=int(row.get("MainPID") or 0),
        need_reload=row["NeedDaemonReload"] == "yes",
        drop_ins=tuple(row["DropInPaths"].split()),
        fragment=row["FragmentPath"],
        restarts=int(row.get("NRestarts") or 0),
        result=row.get("Result", ""),
    )


def process(lines: Lines) -> Process | None:
    if not lines:
        return None
    pid, started, exe = lines[0].split(" ")
    (environ,) = lines[1:]
    pairs = decode("process", environ).decode(errors="surrogateescape").split("\0")
    return Process(
        int(pid),
        int(started),
        decode("process", exe).decode(),
        dict(pair.partition("=")[::2] for pair in pairs if pair),
    )


def ollama(lines: Lines) -> Ollama:
    if lines == ["refused"]:
        return Ollama()
    answer, *shown = lines
    version = json.loads(decode("ollama", answer))["version"]
    if not isinstance(version, str):
        raise TypeError("version")
    if not shown:
        return Ollama(version)
    word, tools, context = shown[0].split(" ")
    if word != "model" or tools not in {"yes", "no"} or len(shown) > 1:
        raise ValueError(word)
    return Ollama(version, tools == "yes", int(context) if context != "-" else None)


def models(lines: Lines) -> dict[str, str]:
    found = {}
    for line in lines:
        digest, path = line.split("  ./", 1)
        if len(digest) != 64 or path.count("/") != 3:
            raise ValueError(line)
        found[str(ModelName(*path.split("/")))] = digest
    return found


def store(lines: Lines) -> Store:
    unfinished, made, loaded = set(), {}, {}
    process = None
    for line in lines:
        kind, *words = line.split(" ")
        if kind == "pulling":
            (name,) = words
            unfinished.add(name)
        elif kind == "made":
            text, base, digest, name = words
            made[name] = Made(text, base, digest)
        elif kind == "process":
            pid, started = words
            process = int(pid), int(started)
        elif kind == "loaded":
            digest, name = words
            loaded[name] = digest
        else:
            raise ValueError(kind)
    return Store(frozenset(unfinished), made, loaded, process)


def firewall(lines: Lines) -> Firewall:
    (line,) = lines
    if line in {"missing", "none"}:
        return Firewall(installed=line == "none")
    word, digest = line.split(" ")
    if word != "loaded":
        raise ValueError(word)
    return Firewall(installed=True, loaded=digest)
