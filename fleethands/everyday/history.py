"""The release records of a host, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleethands import paths
from fleethands.everyday.fleet_command import read_parts
from fleethands.facts.framing import decode_base64
from fleethands.facts.record import KEPT, LONGEST, Record
from fleethands.script import Script


@dataclass(frozen=True)
class NumberedRecord:
    """
    One release record.

    + number: 1 is the current record, 2 the previous one
    + record: None if it cannot be read
    """

    number: int
    record: Record | None


def records_script(mark: str) -> Script:
    """The script that reads the release records of a host."""
    values = {
        "mark": mark,
        "records": paths.CURRENT_RECORD.removesuffix(".json"),
        "kept": str(KEPT),
        "longest": str(LONGEST),
    }
    return Script(read_parts("records"), values)


def parse_records(lines: Sequence[str]) -> tuple[NumberedRecord, ...]:
    """
    The records of a host; none where nothing was proven yet.

    + lines: the answer to `records_script`

    Raises ValueError for a damaged answer.
    """
    found = []
    for row in lines[:KEPT]:
        word, number, encoded = row.split(" ")
        if word != "record" or int(number) not in range(KEPT):
            raise ValueError(row[:100])
        found.append(NumberedRecord(int(number) + 1, Record.parse(decode_base64("record", encoded))))
    return tuple(found)
