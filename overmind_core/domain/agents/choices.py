"""Answers to questions with options: which label belongs to which of several questions that are asked at once. Pure.

An option is written as its label, as `2:LABEL` with the number of its question, or as `QUESTION=LABEL` with the
question's text or heading. `#3` in place of a label is the third one. Each question gets an answer, or the whole is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

PLACE = "#"
"""Before the number of an option, in place of its label."""


class InvalidChoice(ValueError):
    """The options answer not every question, or one that is not asked; the text says which."""


class Choice(NamedTuple):
    """One question: its text, a short heading, the labels that it offers, and whether several may be chosen."""

    text: str
    heading: str
    labels: tuple[str, ...]
    several: bool


def choices_of(subject: Mapping[str, Any]) -> tuple[Choice, ...]:
    """The questions that are asked at once."""
    questions = subject.get("questions")
    found = [one for one in questions if isinstance(one, dict)] if isinstance(questions, list) else []
    return tuple(
        Choice(str(one.get("question", "")), str(one.get("header", "")), _labels(one), one.get("multiSelect") is True)
        for one in found
    )


def offered(choices: Sequence[Choice]) -> list[str]:
    """The options as an answer takes them: labels, and with several questions the number of each before them."""
    if len(choices) == 1:
        return list(choices[0].labels)
    return [f"{number}:{label}" for number, one in enumerate(choices, 1) for label in one.labels]


def chosen(choices: Sequence[Choice], options: Sequence[str], message: str | None) -> tuple[tuple[str, ...], ...]:
    """The labels for each question, in their order; none where `message` answers it in the person's own words.

    Raises:
        InvalidChoice: an option is none of theirs, or a question has no answer, or too many.
    """
    found: list[list[str]] = [[] for _ in choices]
    for option in options:
        at, label = _place(choices, option, found)
        if label not in found[at]:
            found[at].append(label)
    for number, (one, labels) in enumerate(zip(choices, found, strict=True), 1):
        if len(labels) > 1 and not one.several:
            raise InvalidChoice(f"{_named(choices, number)} takes one answer, not {', '.join(labels)}.")
        if not labels and not message:
            raise InvalidChoice(f"{_named(choices, number)} has no answer. {_how(choices, number)}")
    return tuple(map(tuple, found))


def _place(choices: Sequence[Choice], option: str, found: Sequence[Sequence[str]]) -> tuple[int, str]:
    """Which question an option answers, and with which label; one that several offer answers them in their order."""
    plain = [at for at, one in enumerate(choices) if option in one.labels]
    if plain:
        return next((at for at in plain if not found[at]), plain[-1]), option
    number, colon, label = option.partition(":")
    if colon and number.isdecimal() and 1 <= int(number) <= len(choices):
        return _checked(choices, int(number) - 1, label)
    for at, one in enumerate(choices):
        for name in filter(None, (one.text, one.heading)):
            if option.startswith(f"{name}="):
                return _checked(choices, at, option.removeprefix(f"{name}="))
    if len(choices) == 1 and option.startswith(PLACE):
        return _checked(choices, 0, option)
    raise InvalidChoice(f"{option!r} is not one of its options: {', '.join(offered(choices)) or 'none'}.")


def _checked(choices: Sequence[Choice], at: int, label: str) -> tuple[int, str]:
    labels = choices[at].labels
    if label not in labels and label.startswith(PLACE) and label[1:].isdecimal() and 0 < int(label[1:]) <= len(labels):
        return at, labels[int(label[1:]) - 1]
    if label not in labels:
        known = ", ".join(f"{number}. {one}" for number, one in enumerate(labels, 1)) or "it has none"
        which = _named(choices, at + 1, first=False)
        raise InvalidChoice(f"{label.removeprefix(PLACE)!r} is not an option of {which}: {known}.")
    return at, label


def _named(choices: Sequence[Choice], number: int, *, first: bool = True) -> str:
    if len(choices) == 1:
        return "The question" if first else "the question"
    word = "Question" if first else "question"
    return f"{word} {number} of {len(choices)} ({choices[number - 1].text})"


def _how(choices: Sequence[Choice], number: int) -> str:
    options = len(choices[number - 1].labels)
    way = f"the number of an option, 1 to {options}, or with a text" if options else "a text"
    return f"Answer it with {way}."


def _labels(question: Mapping[str, Any]) -> tuple[str, ...]:
    options: Iterable[Any] = question.get("options") or ()
    if not isinstance(options, list):
        return ()
    return tuple(str(one.get("label", "")) for one in options if isinstance(one, dict))
