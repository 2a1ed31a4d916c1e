"""The lab internet by hand: fill its cache, and inject or remove faults while the lab is up."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.lab import cache
from tests.lab.internet import images
from tests.lab.internet.faults import Faults, parse
from tests.lab.internet.registry import Registry
from tests.lab.internet.service import Internet

HERE = Path(".lab/internet")


def main() -> None:
    """Do what the command line says."""
    arguments = _parser().parse_args()
    arguments.act(arguments)


def _fill(arguments: argparse.Namespace) -> None:
    """By a short-lived internet of its own, on an address that only this machine has."""
    with cache.lock("fill"), tempfile.TemporaryDirectory(prefix="lab-fill-") as folder:
        internet = Internet(Path(folder), "127.0.0.99")
        internet.start()
        try:
            internet.fill()
            internet.offer(*arguments.images)
        finally:
            internet.stop()


def _break(arguments: argparse.Namespace) -> None:
    print("\n".join(_faults().switch_on(parse(arguments.how), arguments.where)))


def _mend(_: argparse.Namespace) -> None:
    _faults().clear()


def _faults() -> Faults:
    return Faults(HERE.absolute(), Registry(HERE.absolute() / "registry.sock"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.internet", description=__doc__)
    actions = parser.add_subparsers(required=True)
    fill = actions.add_parser("fill", help="have in the cache what the demo needs, and these images")
    fill.add_argument("images", nargs="*", choices=[[], *images.IMAGES])
    fill.set_defaults(act=_fill)
    broken = actions.add_parser("break", help="inject a fault, until `mend`")
    broken.add_argument("where", help="archive:0.24.0, checksum:…, model:…, manifest:…, image:… or a path")
    broken.add_argument("how", nargs="+", help="status=500, flip=true, rate=100000, cut=0.5; times=2")
    broken.set_defaults(act=_break)
    actions.add_parser("mend", help="all is well again").set_defaults(act=_mend)
    return parser


if __name__ == "__main__":
    main()
