"""The contents of a bundle as a table."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.bundle.bundle import Bundle
from fleethands.bundle.index import PackedArtifact
from fleethands.cli.output.plain_table import render_table
from fleethands.fleet.selection import join_names
from fleethands.text.format import format_size

COLUMNS = ("kind", "name", "version", "for", "size", "digest")
DIGEST = 12  # digits, as in the table of models


def lines(bundle: Bundle, packages: bool) -> Iterator[str]:
    """
    The artifacts, then what the whole bundle is.

    + packages: a row for each package, instead of one for each suite
    """
    index = bundle.index
    shown = [each for each in index.artifacts if packages or each.kind != "package"]
    rows = [_row(bundle, each) for each in shown]
    if not packages:
        rows += _suite_rows(bundle)
    yield from render_table(COLUMNS, rows)
    yield ""
    yield f"created {index.created} for {join_names(index.hosts, 10)}"
    if index.since:
        yield f"continues the bundle with the index {index.since}, and does not have what that one has"
    yield f"{format_size(bundle.size)}, {len(index.packed)} parts, index {index.digest}"


def _row(bundle: Bundle, artifact: PackedArtifact) -> list[str]:
    size = format_size(bundle.index.size([artifact]))
    packed = {bundle.index.part[each].is_packed for each in artifact.parts}
    if False in packed:
        size += ", partly in the older bundle" if True in packed else ", in the older bundle"
    where = " ".join(each for each in (artifact.suite, artifact.arch) if each) or "all"
    digest = artifact.digest.removeprefix("sha256:")[:DIGEST]
    return [artifact.kind, artifact.name, artifact.version or "-", where, size, digest]


def _suite_rows(bundle: Bundle) -> Iterator[list[str]]:
    """One row for the packages of each suite."""
    places = dict.fromkeys((each.suite, each.arch) for each in bundle.index.artifacts if each.kind == "package")
    for suite, arch in places:
        those = [each for each in bundle.index.artifacts if (each.suite, each.arch) == (suite, arch) and each.suite]
        yield ["packages", f"{len(those)} packages", "-", f"{suite} {arch}", format_size(bundle.index.size(those)), "-"]
