"""Commands in the code of pages, as the words that a shell would pass on."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath

PROGRAMS = frozenset({"fleethands", "make", "pyinfra"})
_OPERATORS = frozenset({"&&", "||", "|", ";", "&", "(", ")", "{", "}", ">", ">>", "2>", "<"})
_BEFORE = frozenset({"exec", "sudo", "time", "uvx"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PROMPT = re.compile(r"^\s*(?:\$|#(?= (?:fleethands|make|pyinfra) )|\S+@\S+[:~\w/]*[$#]) +")
# what a page writes in the place of a value
_PLACEHOLDERS = {"SHELL": "bash", "I/N": "1/2", "N": "1", "P%": "25%", "SECONDS": "60", "KEY=VALUE": "models=[]"}


def commands(text: str) -> Iterator[list[str]]:
    """
    Each command of PROGRAMS in a block of shell code: the program without its directory, and its words.

    >>> [*commands("cd x && FLEETHANDS_LAB=y .venv/bin/fleethands plan 'a b'  # why")]
    [['fleethands', 'plan', 'a b']]
    """
    for line in text.replace("\\\n", " ").splitlines():
        for words in _split(_PROMPT.sub("", line)):
            while words and (_ASSIGNMENT.match(words[0]) or words[0] in _BEFORE):
                words.pop(0)
            if words and not words[0].endswith("/") and (name := PurePath(words[0]).name) in PROGRAMS:
                yield [name, *words[1:]]


def usages(text: str) -> Iterator[list[str]]:
    """
    Each command that a pattern in a sentence stands for: `lock acquire|status [TARGET]` is two, with their target.

    >>> [*usages("fleethands completion SHELL")]
    [['fleethands', 'completion', 'bash']]
    """
    text = re.sub(r"[\[\]]|\s?…", " ", text.replace("[options]", "").replace("\\|", "|"))
    for found in commands(text) if " | " in text or "||" in text else commands(text.replace("|", "\0")):
        choices = [[_PLACEHOLDERS.get(each, each) for each in word.split("\0")] for word in found]
        yield from (list(each) for each in itertools.product(*choices))


def _split(line: str) -> Iterator[list[str]]:
    """The words of a line, command by command; nothing for a line that no shell would accept."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = [*lexer]
    except ValueError:
        return
    for is_operator, group in itertools.groupby(words, key=lambda word: word in _OPERATORS):
        if not is_operator:
            yield [*group]
