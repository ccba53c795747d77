"""What git runs by itself: aliases and programs of its settings, the commands of its options, git once more. Pure.

Generous, as all that looks for denied commands: a setting that names no program may count as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from overmind_core.domain.shell.carriers import ANYTHING
from overmind_core.domain.shell.words import Word, split

GIT = "git"
_ALIAS = re.compile(r"alias\.[^=\s]+", re.IGNORECASE)
_KEY = "GIT_CONFIG_KEY_"
_VALUE = "GIT_CONFIG_VALUE_"
_PARAMETERS = "GIT_CONFIG_PARAMETERS"
_RUN_BY_PROGRAMS = re.compile(r"\w*(?:_COMMAND|EDITOR|PAGER|VISUAL|_ASKPASS|_EXTERNAL_DIFF)")
"""Variables whose value is a command for a shell. Sources: git(1), bash(1), man(1)."""
_TEXTS = re.compile(
    r"--(?:upload-pack|receive-pack|exec|extcmd|open-files-in-pager|tree-filter)(?:=(?P<value>.*))?", re.DOTALL
)
"""Options whose value is a command for a shell."""
_FOR_EACH = "for-each-repo"

Run = str | Sequence[Word]
"""A text for a shell, or a command as words."""


def of_words(words: Sequence[Word]) -> Iterator[Run]:
    """What the words of a git have it run.

    Args:
        words: `git` and those behind it, as many as are looked at.
    """
    is_once = True
    for at, (before, word) in enumerate(pairwise(words[1:]), start=2):
        name, equals, value = _bare(word).partition("=")
        if before.is_known and _ALIAS.fullmatch(before.text):  # `git config alias.p push`
            yield _alias(word, word.text)
        elif before.text == "-c" and equals:
            yield from _setting(word, name, value)
        elif before.text == _FOR_EACH and is_once:
            is_once = False  # each would be looked at with all behind it
            yield _again(words[at:])
        if "--config-env" in before.text + word.text and "alias." in word.text.lower():
            yield [ANYTHING]  # its value is in the environment
    yield from _texts(words)


def of_variables(words: Sequence[Word]) -> Iterator[Run]:
    """What variables that are set among the words of a command have git, and other programs, run."""
    keys: dict[str, Word] = {}
    values: dict[str, Word] = {}
    for word in words:
        name, equals, value = _bare(word).partition("=")
        if not equals:
            continue
        if name.startswith(_KEY):
            keys[name.removeprefix(_KEY)] = word._replace(text=value)
        elif name.startswith(_VALUE):
            values[name.removeprefix(_VALUE)] = word._replace(text=value)
        elif name == _PARAMETERS:
            yield from _parameters(word, value)
        elif _RUN_BY_PROGRAMS.fullmatch(name) and word.is_known and " " in value:
            yield value
    for number, key in keys.items():
        set_to = values.get(number, ANYTHING)
        if key.is_known:
            yield from _setting(set_to, key.text, set_to.text)
        else:
            yield [ANYTHING]


def _bare(word: Word) -> str:
    return word.text if word.is_known else word.text.strip("\"'")


def _parameters(word: Word, value: str) -> Iterator[Run]:
    if not word.is_known:
        yield [ANYTHING]
        return
    for one in split(value):
        name, _, text = one.text.partition("=")
        yield from _setting(one, name, text)


def _setting(word: Word, name: str, value: str) -> Iterator[Run]:
    """What a setting with a name has git run; `word`: in which the value stands."""
    if _ALIAS.fullmatch(name):
        yield _alias(word, value)
    elif value.startswith("!") or " " in value:
        yield value.removeprefix("!")


def _alias(word: Word, value: str) -> Run:
    if not word.is_known:
        return [ANYTHING]
    if value.startswith("!"):
        return f"{value[1:]} {ANYTHING.text}"
    return [Word(GIT), *split(value), ANYTHING]


def _again(words: Sequence[Word]) -> Run:
    """The git that `for-each-repo` runs in each of them."""
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        at += 2 if words[at].text == "--config" else 1
    return [Word(GIT), *words[at:]]


def _texts(words: Sequence[Word]) -> Iterator[Run]:
    for at, word in enumerate(words):
        found = _TEXTS.fullmatch(word.text) if word.is_known else None
        if found is not None:
            value = (
                Word(found["value"]) if found["value"] is not None else (words[at + 1] if at + 1 < len(words) else None)
            )
            if value is not None and " " in value.text:
                yield value.text if value.is_known else value.text.strip('"')
