"""What is refused in prose and in names, as rules.toml lists it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.language import texts

FILE = Path(__file__).with_name("rules.toml")
_END_OF_SENTENCE = re.compile(r"(?<=[.!?:])\s+")


@dataclass(frozen=True)
class Ban:
    """Words that are not used, what to write instead, and why."""

    pattern: re.Pattern[str]
    instead: str
    why: str

    def describe(self, found: str) -> str:
        """One line for the author."""
        return f"`{found.strip()}`: {self.instead} ({self.why})"


@dataclass(frozen=True)
class Rules:
    """
    All rules.

    + unchecked_prose, unchecked_names: files and folders that are left out
    + longest: words of a sentence in Markdown
    """

    unchecked_prose: tuple[str, ...]
    unchecked_names: tuple[str, ...]
    longest: int
    words: tuple[Ban, ...]
    identifiers: tuple[Ban, ...]

    @classmethod
    def load(cls, source: str | None = None) -> Rules:
        """Read rules.toml, or this text of one."""
        table = tomllib.loads(FILE.read_text() if source is None else source)
        words = [Ban(re.compile(_as_words(each), re.IGNORECASE), *row) for each, row in table["words"].items()]
        names = [Ban(re.compile(rf"_*(?:{each})", re.IGNORECASE), *row) for each, row in table["names"].items()]
        prose, identifiers = ((*table[key], *table["exempt"]) for key in ("unchecked_prose", "unchecked_names"))
        return cls(prose, identifiers, table["longest_sentence"], tuple(words), tuple(names))

    def check(self, name: str, path: Path, everything: bool = False) -> Iterator[str]:
        """
        The faults of one file, a line each.

        + name: its path in the repository
        + everything: whether to check a file that is left out, too
        """
        if everything or not _is_in(name, self.unchecked_prose):
            for text in texts.in_file(path):
                faults = self.faults(text.words, path.suffix == ".md")
                yield from (f"{name}:{text.line + lines}: {fault}" for lines, fault in faults)
        if path.suffix == ".py" and (everything or not _is_in(name, self.unchecked_names)):
            for text in texts.names_in(path):
                yield from (f"{name}:{text.line}: name {fault}" for fault in self.name_faults(text.words))

    def faults(self, words: str, is_markdown: bool = False) -> Iterator[tuple[int, str]]:
        """Banned words of some prose, and sentences that are too long, each with the number of lines before it."""
        for ban in self.words:
            for found in ban.pattern.finditer(words):
                yield words.count("\n", 0, found.start()), ban.describe(found[0])
        yield from ((0, fault) for fault in (_length_faults(words, self.longest) if is_markdown else ()))

    def name_faults(self, name: str) -> Iterator[str]:
        """The bans that a name breaks."""
        yield from (ban.describe(name) for ban in self.identifiers if ban.pattern.fullmatch(name))


def _length_faults(words: str, longest: int) -> Iterator[str]:
    for sentence in _END_OF_SENTENCE.split(words):
        begin = " ".join(sentence.split())[:40]
        if (count := max(_count(clause) for clause in sentence.split(";"))) > longest:
            yield f"`{begin}…`: {count} words in a sentence, at most {longest} (one fact a sentence)"
        if len(re.findall(r";\s", sentence)) > 1:
            yield f"`{begin}…`: several semicolons; make it sentences (one fact a sentence)"


def _count(clause: str) -> int:
    """Words; code is none, because a list of names is easy to read."""
    return sum(texts.CODE not in word for word in clause.split())


def _as_words(pattern: str) -> str:
    begin = r"(?<!\w)" if pattern[0] != "," else ""
    return f"{begin}(?:{pattern})(?!\\w)".replace(" ", r"\s+") if begin else pattern.replace(" ", r"\s+")


def _is_in(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)
