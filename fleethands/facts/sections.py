"""Reads each section's lines into its value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from fleethands.facts.probe import (
    ABSENT,
    Account,
    Accounts,
    Container,
    Docker,
    File,
    Firewall,
    Listener,
    Made,
    Ollama,
    Process,
    Release,
    Space,
    Store,
    System,
    Unit,
)
from fleethands.facts.protocol import decode
from fleethands.settings.values import ModelName

Lines = list[str]


def system(lines: Lines) -> System:
    row = dict(line.partition(" ")[::2] for line in lines)
    return System(
        uid=int(row["uid"]),
        arch=row["arch"],
        kernel=row["kernel"],
        clock=int(row["clock"]),
        os_id=row.get("id", ""),
        os_version=row.get("version", ""),
        os_name=row.get("name", ""),
        systemd=row.get("systemd"),
    )


def disk(lines: Lines) -> dict[str, Space]:
    rows = (line.split(" ") for line in lines)
    return {place: Space(int(free), writable == "yes") for place, free, writable in rows}


def packages(lines: Lines) -> frozenset[str]:
    return frozenset(name for status, name in (line.split(" ") for line in lines) if status == "installed")


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
    kind, mode, uid, gid, user, group, size, _mtime, content = words
    if kind not in {"file", "directory", "other"}:
        raise ValueError(kind)
    held = decode("files", content) if content != "-" else b"" if kind == "file" and size == "0" else None
    if held is not None and len(held) != int(size):
        raise ValueError("changed while it was read")
    return File(kind, mode.zfill(4), int(uid), int(gid), f"{user}:{group}", held)


def releases(lines: Lines) -> dict[str, Release]:
    found = {}
    for line in lines:
        version, *binary, sha256, wanted_size, wanted_mtime = line.split(" ")
        found[version] = Release(sha256, binary == [wanted_size, wanted_mtime, "755", "0"])
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
    (answer,) = lines
    return Ollama(json.loads(decode("ollama", answer))["version"])


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


def docker(lines: Lines) -> Docker:
    if lines == ["missing"]:
        return Docker(installed=False)
    if lines == ["stopped"]:
        return Docker(installed=True)
    row = dict(line.split(" ") for line in lines)
    found = {key: json.loads(decode("docker", row[key]))[0] for key in ("container", "image") if key in row}
    return Docker(
        installed=True,
        version=row["version"],
        container=_container(found["container"]) if "container" in found else None,
        image=found["image"]["Id"] if "image" in found else None,
    )


def _container(row: dict[str, Any]) -> Container:
    return Container(
        id=row["Id"],
        state=row["State"]["Status"],
        image=row["Image"],
        labels=row["Config"]["Labels"] or {},
        started=row["State"]["StartedAt"],
    )


def firewall(lines: Lines) -> Firewall:
    (line,) = lines
    if line in {"missing", "none"}:
        return Firewall(installed=line == "none")
    word, digest = line.split(" ")
    if word != "loaded":
        raise ValueError(word)
    return Firewall(installed=True, loaded=digest)


def sockets(lines: Lines) -> tuple[Listener, ...]:
    found = []
    for line in lines:
        words = line.split()
        owner = re.search(r'users:\(\("([^"]+)"', line)
        found.append(Listener(int(words[0]), words[4].rpartition(":")[0].strip("[]"), owner[1] if owner else ""))
    return tuple(found)
