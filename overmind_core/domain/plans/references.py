r"""References in the texts of a plan, `${vars.x}`, `${env.X}` and `${agents.x.result}`, and what takes their place.

Every other `${X}` belongs to whoever reads the text, and `$${` is written for a plain `${`. A value never becomes part
of a shell's text: there a variable takes the reference's place, and the value goes into the environment. What the
author has evaluated anyway (`eval`, `sh -c "…"`, `let`) stays the author's own doing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.shell.quoting import MARK, REFUSALS, QuotePlace, quote_places

VARIABLE = "OVERMIND_REF_"
"""What the variables are called that take a reference's place; a number from 1 follows."""
WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)
"""What a variable of a plan or an output of an agent may be called, else nothing can refer to it."""

_OURS = re.compile(r"\$\$\{|\$\{(?P<source>vars|env|agents)\.(?P<rest>[^}]*)(?P<close>\}?)|\0")
_EXPANDED = re.compile(r"\$\{\w+\.")
"""What is ours or looks like it; a shell's text without it is left to the shell."""
_ENVIRONMENT = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class ValueSource(StrEnum):
    """Where a value comes from."""

    VARS = "vars"
    ENV = "env"
    AGENTS = "agents"


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a text that stands for a value."""

    source: ValueSource
    name: str
    """Of the variable or of the agent."""
    field: str
    """Which of an agent's values: `result`, `output`, `exit_code`, or an output that it declares; else empty."""
    start: int
    end: int
    """Offsets of its `$` and of what follows its `}`."""

    @property
    def key(self) -> str:
        """As it is written: `agents.x.result`."""
        return f"{self.source}.{self.name}.{self.field}" if self.field else f"{self.source}.{self.name}"


class ReferenceProblem(NamedTuple):
    """What is wrong with a text."""

    at: int
    """Offset in it."""
    why: str


class BrokenReference(Exception):
    """A reference of ours is misspelt, or stands where a shell can't be given its value."""

    def __init__(self, problem: ReferenceProblem) -> None:
        self.at, self.why = problem
        super().__init__(f"at offset {self.at}: {self.why}")


class UnknownValue(ValueError):
    """A reference without a value."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"no value for ${{{key}}}")


class UnusableValue(ValueError):
    """No program can be given this value."""

    def __init__(self, key: str, why: str) -> None:
        self.key = key
        super().__init__(f"the value of ${{{key}}} can't be passed to a program: {why}")


def references(text: str) -> list[Reference]:
    """All references in `text`, in order.

    Raises:
        BrokenReference: One is misspelt; the first.
    """
    found = list(_scan(text))
    _raise_first(one for one in found if isinstance(one, ReferenceProblem))
    return [one for one in found if isinstance(one, Reference)]


def check_text(text: str) -> list[ReferenceProblem]:
    """What is wrong with the references of a text that is no shell's."""
    return [one for one in _scan(text) if isinstance(one, ReferenceProblem)]


def check_shell(text: str) -> list[ReferenceProblem]:
    """What is wrong with the references of a shell's text, and with the quotes around them; ordered by offset."""
    misspelt = check_text(text)
    if MARK in text or not _EXPANDED.search(text):
        return misspelt
    apart = _parsed(text)
    read = quote_places(apart.marked)
    refused = [
        ReferenceProblem(one.start, f"${{{one.key}}}: {REFUSALS[place]}")
        for one, place in zip(apart.references, read.marks, strict=False)
        if place in REFUSALS
    ]
    named = {one.at for one in misspelt}
    unreadable = (ReferenceProblem(apart.written(at), why) for at, why in read.troubles)
    return sorted([*misspelt, *refused, *(one for one in unreadable if one.at not in named)])


def bind_text(text: str, values: Mapping[str, str]) -> str:
    """`text` with each reference replaced by its value; what a value itself contains is not looked at.

    Args:
        text: No shell's: an element of an argv, a prompt, a path.
        values: By `Reference.key`.

    Raises:
        BrokenReference: As `references`.
        UnknownValue: A reference has no value.
        UnusableValue: A value has a NUL or half of a surrogate pair.
    """
    _raise_first(check_text(text))
    apart = _parsed(text)
    return _joined(apart, [_value(one, values) for one in apart.references])


def bind_shell(text: str, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A shell's text with a variable for each reference, and the environment that it has to be run with.

    A reference that stands bare is put in double quotes: a value is one word, whatever is in it. The same one twice is
    one variable; `values` as in `bind_text`.

    Raises:
        BrokenReference: The first problem of `check_shell`.
        UnknownValue: As `bind_text`.
        UnusableValue: As `bind_text`.
    """
    _raise_first(check_shell(text))
    apart = _parsed(text)
    names: dict[str, str] = {}
    environment: dict[str, str] = {}
    for one in apart.references:
        name = names.setdefault(one.key, f"{VARIABLE}{len(names) + 1}")
        environment[name] = _value(one, values)
    marks = quote_places(apart.marked).marks
    pairs = zip(apart.references, marks, strict=True)
    return _joined(apart, [_expansion(names[one.key], place) for one, place in pairs]), environment


def _expansion(name: str, place: QuotePlace) -> str:
    return f'"${{{name}}}"' if place is QuotePlace.BARE else f"${{{name}}}"


def _value(reference: Reference, values: Mapping[str, str]) -> str:
    try:
        value = values[reference.key]
    except KeyError:
        raise UnknownValue(reference.key) from None
    if "\0" in value:
        raise UnusableValue(reference.key, "it contains a NUL character")
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise UnusableValue(reference.key, "it contains half of a surrogate pair, which is not a character") from None
    return value


class _ParsedText(NamedTuple):
    """A text between its references, escapes resolved."""

    pieces: list[str]
    """One more than there are references."""
    references: list[Reference]
    anchors: list[tuple[int, int]]
    """From the first offset, in `marked`, on the text is as it was written from the second on."""

    @property
    def marked(self) -> str:
        """The text with a mark for each reference."""
        return MARK.join(self.pieces)

    def written(self, at: int) -> int:
        """Where the character at `at` of `marked` was written."""
        begin, written = next(one for one in reversed(self.anchors) if one[0] <= at)
        return written + at - begin


def _parsed(text: str) -> _ParsedText:
    """Misspelt references are left as they are."""
    apart = _ParsedText([""], [], [(0, 0)])
    length = last = 0
    for found in _OURS.finditer(text):
        one = _read(found)
        if isinstance(one, ReferenceProblem):
            continue
        before = text[last : found.start()] + ("" if one else "${")
        apart.pieces[-1] += before
        if one:
            apart.references.append(one)
            apart.pieces.append("")
        last = found.end()
        length += len(before) + (1 if one else 0)
        apart.anchors.append((length, last))
    apart.pieces[-1] += text[last:]
    return apart


def _joined(apart: _ParsedText, replacements: Sequence[str]) -> str:
    pairs = zip(apart.pieces, [*replacements, ""], strict=True)
    return "".join(part for pair in pairs for part in pair)


def _scan(text: str) -> Iterator[Reference | ReferenceProblem]:
    return (one for found in _OURS.finditer(text) if (one := _read(found)) is not None)


def _read(found: re.Match[str]) -> Reference | ReferenceProblem | None:
    """What was found; None: an escape."""
    if found[0] == "$${":
        return None
    if found[0] == MARK:
        return ReferenceProblem(found.start(), "a NUL character can't be passed to a program")
    source, rest = ValueSource(found["source"]), found["rest"]
    name, _, field = rest.rpartition(".") if source is ValueSource.AGENTS else (rest, "", "")
    if not found["close"]:
        return ReferenceProblem(found.start(), f"this ${{{source}. is never closed")
    if why := _misspelling(source, name, field):
        return ReferenceProblem(found.start(), f"{found[0]}: {why}")
    return Reference(source, name, field, found.start(), found.end())


def _misspelling(source: ValueSource, name: str, field: str) -> str:
    """What is wrong with its parts; empty when nothing is."""
    if source is ValueSource.ENV:
        return "" if _ENVIRONMENT.fullmatch(name) else "write ${env.NAME} with the name of an environment variable"
    if source is ValueSource.VARS:
        return "" if WORD.fullmatch(name) else "write ${vars.NAME} with a name of letters, digits, '_' and '-'"
    if _AGENT.fullmatch(name) and WORD.fullmatch(field):
        return ""
    agent = name or field
    agent = agent if _AGENT.fullmatch(agent) else "AGENT"
    return f"write ${{agents.{agent}.result}}, .output, .exit_code, or an output that it declares"


def _raise_first(problems: Iterable[ReferenceProblem]) -> None:
    for problem in problems:
        raise BrokenReference(problem)
