"""What is wrong with an inventory, as an error of one line with its place."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from fleethands.errors import FleethandsError
from fleethands.fleet import group_data
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, relative_path


class InventoryError(FleethandsError):
    """An inventory cannot be read; the message has the place, and so has `place` if it is known."""

    place: FileLocation | None = None


def inventory_error(error: BaseException, target: str) -> InventoryError:
    """The error of an inventory that raised another one when it was read."""
    if isinstance(error, SystemExit):  # an inventory that refuses with a message
        return InventoryError(*_split_refusal(str(error.code)))
    if isinstance(error, UnreadableInventory):
        return _placed(InventoryError(str(error), *error.hints), error.place)
    cause = error.__cause__ or error.__context__ or error
    file, line = _locate_error(cause, target)
    where = f"{file}, line {line}" if line else file
    problem = f"{where}: {type(cause).__name__}: {_message(cause)}"
    return _placed(
        InventoryError(problem, f"fix `{file}`, then run the command again"), FileLocation(Path(file), line or 0)
    )


def _placed(error: InventoryError, place: FileLocation) -> InventoryError:
    error.place = place
    return error


def _locate_error(error: BaseException, target: str) -> tuple[str, int | None]:
    """The file of the inventory that raised an error, and the line in it."""
    for frame in reversed(_frames(error)):
        if frame.filename == target or Path(frame.filename or "").parent.name == group_data.NAME:
            return relative_path(Path(frame.filename)) if frame.filename != target else target, frame.lineno
    return target, None


def _message(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _split_refusal(text: str) -> list[str]:
    message, *hints = text.strip().split("\n\nhint: ")
    return [message.removeprefix("error: "), *hints]


def _frames(error: BaseException) -> list[Any]:
    if isinstance(error, SyntaxError):
        return [error]
    return list(traceback.extract_tb(error.__traceback__))
