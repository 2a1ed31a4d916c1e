"""Finds the shell scripts, which are next to the operations that send them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def _places() -> dict[str, Traversable]:
    """Each script `NAME.sh` and each folder of parts, by its name, which is unique."""
    root = files("fleethands")
    packages = [package for package in root.joinpath("operations").iterdir() if package.is_dir()]
    folders = [*packages, *(folder for package in packages for folder in package.iterdir() if folder.is_dir())]
    places = {folder.name: folder for folder in folders if any(_is_part(each) for each in folder.iterdir())}
    scripts = [each for package in packages for each in package.iterdir() if each.name.endswith(".sh")]
    return (
        places
        | {each.name.removesuffix(".sh"): each for each in scripts if not _is_part(each)}
        | {"web": root / "web.sh"}
    )


def _is_part(place: Traversable) -> bool:
    return place.name[0].isdigit() and place.name.endswith(".sh")


def names() -> list[str]:
    """Names of all scripts and folders of parts."""
    return sorted(_places())


@cache
def read(name: str) -> str:
    """
    The text of the script `NAME.sh`, or of the parts in the folder `NAME`, one after the other.

    Raises KeyError if there is none.

    >>> read("web").startswith("# ")
    True
    """
    place = _places()[name]
    if place.is_file():
        return place.read_text()
    return "".join(each.read_text() for each in sorted(filter(_is_part, place.iterdir()), key=lambda each: each.name))


def join(*names: str) -> str:
    """The text of these scripts, one after the other."""
    return "".join(map(read, names))
