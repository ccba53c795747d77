"""Notes and questions that nobody wrote for us: the docstrings of Python's standard library, its manual and its FAQ.

A note is a docstring with the name of what it is about, or an answer of the FAQ. The questions each have one note that
is right: the first sentence of the manual about the same thing, where it shares less than 60 % of its words with the
docstring; the questions of the FAQ; names; and names and sentences with a slip. Without the manual (Debian's package
`python3-doc`) there are no notes and questions from it, which `Questions.without` says.
"""

from __future__ import annotations

import glob
import importlib
import inspect
import os
import random
import re
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

from overmind_core.domain.memory.notes import LONGEST_TEXT
from overmind_core.domain.memory.words import words

MANUAL = "/usr/share/doc/python3*/html/_sources"
SHARED = 0.6
"""The share of a sentence's words that its docstring has at most."""
_SKIPPED = {"antigravity", "this", "idlelib", "turtle", "turtledemo", "lib2to3", "test", "tkinter", "__main__"}
_MARKUP = re.compile(
    r":[a-z:]+:`[!~]?([^`<]*?)(?:\s*<[^`]*>)?`|``([^`]*)``|`([^`]*?)(?:\s*<[^`]*>)?`_*|\*{1,2}([^*\n]+)\*{1,2}"
)
_ENTRY = re.compile(r"\.\. (?:function|class|method|exception|data|attribute)::\s*([\w.]+)")
_MODULE = re.compile(r"\.\. (?:currentmodule|module)::\s*([\w.]+)")
_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_QUESTION = re.compile(r"\n([^\n]+)\n[-=~]{5,}\n(.*?)(?=\n[^\n]+\n[-=~]{5,}\n|\Z)", re.DOTALL)


class Asked(NamedTuple):
    """A question, and the number of the note that answers it."""

    question: str
    note: int


class Questions(NamedTuple):
    """The set."""

    notes: list[str]
    paraphrases: list[Asked]
    faq: list[Asked]
    identifiers: list[Asked]
    typos: list[Asked]
    without: str
    """What is missing of it, "" when nothing is."""


def build(manual: str | None = None, *, seed: int = 1) -> Questions:
    """Build it from this Python and a folder with the sources of the manual; by default that of the system."""
    chance = random.Random(seed)
    folder = manual or next(iter(sorted(glob.glob(MANUAL))), "")
    docstrings = dict(sorted(_docstrings()))
    notes = [f"{name}: {text}"[:LONGEST_TEXT] for name, text in docstrings.items()]
    places = {name: place for place, name in enumerate(docstrings)}
    paraphrases = []
    for name, sentence in _first_sentences(folder):
        if name in places:
            said, known = words(sentence), set(words(notes[places[name]]))
            if len(said) >= 4 and sum(word in known for word in said) < SHARED * len(said):
                paraphrases.append(Asked(sentence, places[name]))
    faq = []
    for question, answer in _faq(folder):
        faq.append(Asked(question, len(notes)))
        notes.append(answer[:LONGEST_TEXT])
    named = [name for name in places if "." in name and len(name.rpartition(".")[2]) >= 4]
    asked = chance.sample(named, min(600, len(named)))
    identifiers = [Asked(name, places[name]) for name in asked]
    typos = [Asked(_slip(name, chance), places[name]) for name in asked]
    without = "" if folder else "no manual of Python here (apt-get install python3-doc)"
    return Questions(notes, sorted(set(paraphrases)), faq, identifiers, typos, without)


def _docstrings() -> Iterator[tuple[str, str]]:
    """Name and docstring of what the standard library offers, each text once."""
    seen: set[str] = set()
    for name in sorted(sys.stdlib_module_names):
        if name.startswith("_") or name in _SKIPPED:
            continue
        try:
            with warnings.catch_warnings():
                module = importlib.import_module(name)
        except Exception:  # noqa: BLE001 - one for another system, or without its library
            continue
        for full, text in _of_module(name, module):
            if len(text) > 20 and text not in seen:
                seen.add(text)
                yield full, text


def _of_module(name: str, module: ModuleType) -> Iterator[tuple[str, str]]:
    if module.__doc__:
        yield name, inspect.cleandoc(module.__doc__)
    for member, value in sorted(vars(module).items()):
        home = getattr(value, "__module__", None) or name
        if member.startswith("_") or home.lstrip("_").partition(".")[0] != name.partition(".")[0]:
            continue
        if inspect.isclass(value) or inspect.isroutine(value):
            if value.__doc__:
                yield f"{name}.{member}", inspect.cleandoc(value.__doc__)
            if inspect.isclass(value):
                for part, inner in sorted(vars(value).items()):
                    text = getattr(inner, "__doc__", None)
                    if not part.startswith("_") and inspect.isroutine(inner) and isinstance(text, str):
                        yield f"{name}.{member}.{part}", inspect.cleandoc(text)


def _first_sentences(folder: str) -> Iterator[tuple[str, str]]:
    """What the manual says first about each thing."""
    for path in sorted(glob.glob(os.path.join(folder, "library", "*.txt"))) if folder else []:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        module = ""
        owner = ""
        for place, line in enumerate(lines):
            stripped = line.strip()
            if found := _MODULE.match(stripped):
                module = found[1]
            elif found := _ENTRY.match(stripped):
                name = found[1]
                indent = len(line) - len(line.lstrip())
                if indent and owner and "." not in name:
                    name = f"{owner}.{name}"
                elif stripped.startswith(".. class") and not indent:
                    owner = name
                full = name if name.startswith(f"{module}.") else f"{module}.{name}"
                text = _paragraph(lines[place + 1 :], indent)
                sentence = _SENTENCE.match(text)
                if sentence:
                    yield full, sentence[1]


def _paragraph(lines: list[str], indent: int) -> str:
    """The first paragraph below an entry."""
    said: list[str] = []
    for line in lines:
        inside = len(line) - len(line.lstrip()) > indent
        if not line.strip():
            if said:
                break
        elif not inside:
            break
        elif said or (not line.strip().startswith((":", "..")) and "(" not in line.split(" ")[0]):
            said.append(line.strip())
    return _plain(" ".join(said))


def _faq(folder: str) -> Iterator[tuple[str, str]]:
    for path in sorted(glob.glob(os.path.join(folder, "faq", "*.txt"))) if folder else []:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for title, answer in _QUESTION.findall(text):
            if title.rstrip().endswith("?") and len(answer.strip()) > 40:
                yield _plain(title.strip()), _plain(answer.strip())


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda found: next(filter(None, found.groups()), ""), text)


def _slip(name: str, chance: random.Random) -> str:
    """A name with one slip in its longest part."""
    parts = re.split(r"([._])", name)
    place = max(range(0, len(parts), 2), key=lambda one: len(parts[one]))
    word = parts[place]
    at = chance.randrange(1, len(word) - 1)
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    kinds = [word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]]
    kinds.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    parts[place] = chance.choice(kinds)
    return "".join(parts)
