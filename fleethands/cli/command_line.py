"""A command line as a report names it: whole, but without what may be a secret."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
from click.core import ParameterSource

VARIABLES = ("ollama_env=", "openhands_env=")  # a value may be a secret that nobody declared as one
NO_MANNER = {"hosts", "exclude", "shard", "data", "as_json", "report", "summary", "directory", "yes"}


def typed(words: str, *without: str) -> str:
    """
    Target and options of this command.

    + words: those that say which hosts, and with which settings
    + without: options that are left out, as `lock_wait`
    """
    context, said = click.get_current_context(silent=True), shlex.split(words)
    return unvalued(shlex.join([*said, *(_manner(context, {*without}, said) if context else ())]))


def unvalued(words: str) -> str:
    """A command line without the values of variables, as hints have it: they go into reports."""
    whole = shlex.split(words)
    return shlex.join(next((f"{mark}…" for mark in VARIABLES if word.startswith(mark)), word) for word in whole)


def _manner(context: click.Context, without: set[str], said: list[str]) -> Iterator[str]:
    """Options that say how, and are not said yet."""
    for option in context.command.params:
        if not isinstance(option, click.Option) or not option.name or option.name in NO_MANNER | without:
            continue
        if option.opts[0] in said:
            continue
        if context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            value = context.params[option.name]
            if not isinstance(value, bool):
                yield from (option.opts[0], f"{value:g}" if isinstance(value, float) else str(value))
            else:
                yield option.opts[0] if value else option.secondary_opts[0]
