"""Finds what a shell script does as root to a place that is not root's, without the functions of owned.sh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# variables and paths of scripts that name a place in a directory of the agent's, of Ollama's or of an account's
FOREIGN = (
    "$workspace", "$state", "$settings_path", "$talks", "$nested", "$own", "$home", "$path", "$models_dir", "$manifest",
    "$base_manifest", "$build/cache/", "$rehearsal/", "/opt/openhands/", "/usr/share/ollama/",
)  # fmt: skip
WRITES = {"chgrp", "chmod", "chown", "cp", "dd", "install", "ln", "mkdir", "mkfifo", "mktemp", "mv", "rm", "rmdir"}
WRITES |= {"tar", "tee", "touch", "truncate"}
READS = {"awk", "cat", "cmp", "cut", "grep", "head", "od", "sed", "sha256sum", "sort", "tail", "tr", "wc", "."}
TEXTS = {"awk", "grep", "sed"}  # their first word is no file's name
BECOMES = {"runuser", "setpriv", "su", "sudo"}
NAMES = ("$(dirname ", "$(basename ", "$(spelled ", "$(echo ", "$(printf ")  # they say a path; others what is there
PREFIXES = {"!", "if", "elif", "then", "else", "while", "until", "do", "exec", "{", "timeout"}
FUNCTION = re.compile(r"^([a-z_0-9]+)\(\) [{(](?:[^\n]*[})]$|.*?^[})]$)", re.MULTILINE | re.DOTALL)
HEREDOC = re.compile(r"<<'?([A-Z]+)'?([^\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
LINES = "lines-of"  # stands for the text behind <<, with the variables that are in it


@dataclass(frozen=True)
class Command:
    """One simple command of a script: the function that it is in, and its words as they are written."""

    function: str
    words: tuple[str, ...]

    @property
    def bare(self) -> tuple[str, ...]:
        """Without assignments before it and the words of the shell's own grammar."""
        words = list(self.words)
        while words and (words[0] in PREFIXES or _assigned(words[0])):
            words.pop(0)
        return tuple(words)


def offences(text: str) -> list[str]:
    """Commands of a script that do it, each as it is written."""
    found = list(_commands(text))
    foreign = _foreign(found)
    return [" ".join(each.words) for each in found if _offends(each, foreign)]


def _offends(command: Command, foreign: set[tuple[str, str]]) -> bool:
    words = command.bare
    if not words:
        return False
    if words[0] in BECOMES:
        return True
    pattern = next((word for word in words[1:] if not word.startswith("-")), "") if words[0] in TEXTS else ""
    touched = [word for word in words[1:] if word != pattern and _is_foreign(word, command.function, foreign)]
    if any(word.startswith(("<", ">")) for word in touched):
        return True
    searches = words[0] == "find" and bool({"-exec", "-execdir", "-delete"} & set(words))
    return bool(touched) and (words[0] in WRITES | READS or searches)


def _foreign(commands: list[Command]) -> set[tuple[str, str]]:
    """Variables that hold such a place: `("", $name)`, and parameters of functions: `(function, $1)`."""
    functions = {each.function for each in commands if each.function}
    known = {("", each) for each in FOREIGN}
    while True:
        more = {each for command in commands for each in _passed_on(command, functions, known)} - known
        if not more:
            return known
        known |= more


def _passed_on(command: Command, functions: set[str], known: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for word in command.words if not command.bare else ():
        name, value = _assigned(word) or ("", "")
        is_path = value.startswith(NAMES) or not value.startswith("$(")
        if name and is_path and _is_foreign(value, command.function, known):
            yield "", f"${name}"
    words = command.bare
    if words[:1] == ("for",) and any(_is_foreign(word, command.function, known) for word in words[3:]):
        yield "", f"${words[1]}"
    if words[:1] == ("read",) and (command.function, LINES) in known:
        yield from (("", f"${word}") for word in words[1:])
    if words[:1] == (LINES,) and any(_is_foreign(word, command.function, known) for word in words[1:]):
        yield command.function, LINES
    if words and words[0] in functions:
        for number, word in enumerate(words[1:], 1):
            if _is_foreign(word, command.function, known):
                yield words[0], f"${number}"


def _is_foreign(word: str, function: str, known: set[tuple[str, str]]) -> bool:
    plain = word.replace("{", "").replace("}", "")
    return any(
        re.search(re.escape(name) + r"(?![a-z_0-9])" if name[1:].replace("_", "").isalnum() else re.escape(name), plain)
        for where, name in known
        if where in {"", function}
    )


def _assigned(word: str) -> tuple[str, str] | None:
    match = re.match(r"([A-Za-z_][A-Za-z_0-9]*)=(.*)", word, re.DOTALL)
    return (match[1], match[2].strip('"')) if match else None


def _commands(text: str) -> Iterator[Command]:
    plain = re.sub(r"^\s*#.*$|(?<=\s)# .*$", "", text.replace("\\\n", " "), flags=re.MULTILINE)
    plain = HEREDOC.sub(lambda match: f"{match[2]}\n{LINES} {' '.join(re.findall(r'[$][a-z_]+', match[3]))}", plain)
    for match in FUNCTION.finditer(plain):
        inner = match[0].partition(") ")[2]
        yield from (Command(match[1], words) for words in _split(inner))
    yield from (Command("", words) for words in _split(FUNCTION.sub("", plain)))


def _split(text: str) -> Iterator[tuple[str, ...]]:
    """The simple commands of a text, those within substitutions too; a substitution stays in the word as well."""
    words: list[str] = []
    word, at = "", 0
    while at < len(text):
        char = text[at]
        if text.startswith("$(", at) and not text.startswith("$((", at):
            end = _closing(text, at + 1)
            yield from _split(text[at + 2 : end])
            word, at = word + text[at : end + 1], end
        elif char in "'\"":
            end = _quoted(text, at)
            if char == '"':
                yield from _inner(text[at + 1 : end])
            word, at = word + text[at : end + 1], end
        elif char == "\\":
            word, at = word + text[at : at + 2], at + 1
        elif char in " \t":
            word = _ended(words, word)
        elif char in ";|&\n(){}" and not _continues(word, char):
            word = _ended(words, word)
            if words:
                yield tuple(words)
            words = []
        else:
            word += char
        at += 1
    _ended(words, word)
    if words:
        yield tuple(words)


def _continues(word: str, char: str) -> bool:
    """Whether a sign that ends a command elsewhere is part of this word: of `${NAME}`, or of `2>&1`."""
    return word.count("${") > word.count("}") or (word + char).endswith(("${", ">&", "<&"))


def _ended(words: list[str], word: str) -> str:
    """Join a redirection and its file's name to one word. A redirection to another descriptor is left out."""
    if re.fullmatch(r"\d*[<>]&[-\d]", word):
        return ""
    if word and words and re.fullmatch(r"\d*[<>]+", words[-1]):
        words[-1] += word
    elif word:
        words.append(re.sub(r"^\d(?=[<>])", "", word))
    return ""


def _inner(text: str) -> Iterator[tuple[str, ...]]:
    at = text.find("$(")
    while at >= 0:
        end = _closing(text, at + 1)
        if not text.startswith("$((", at):
            yield from _split(text[at + 2 : end])
        at = text.find("$(", end)


def _closing(text: str, at: int) -> int:
    """Where the parenthesis that opens here is closed."""
    depth = 0
    while at < len(text):
        if text[at] in "'\"":
            at = _quoted(text, at)
        elif text[at] == "\\":
            at += 1
        else:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            if depth == 0:
                return at
        at += 1
    return len(text)


def _quoted(text: str, at: int) -> int:
    """Where the quote that opens here is closed."""
    if text[at] == "'":
        return text.index("'", at + 1)
    end = at + 1
    while end < len(text) and text[end] != '"':
        if text.startswith("$(", end):
            end = _closing(text, end + 1)
        elif text[end] == "\\":
            end += 1
        end += 1
    return end
