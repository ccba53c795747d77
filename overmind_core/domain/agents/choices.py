"""Answers to questions with options: which label belongs to which of several questions that are asked at once. Pure.

An option is written as its label, as `2:LABEL` with the number of its question, or as `QUESTION=LABEL` with the
question's text or heading. `#3` in place of a label is the third one; where a question offers none, it is the text `3`.
Each question gets an answer, or the whole is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

PLACE = "#"
"""Before the number of an option, in place of its label."""
_TYPED = re.compile(rf"([1-9][0-9]*):{PLACE}([1-9][0-9]*)")


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

    A message that is the label of a single option chooses that; so does one that is, but for upper and lower case.

    Raises:
        InvalidChoice: an option is none of theirs, or a question has no answer, or too many.
    """
    if message and not options and (label := _meant(choices, message)) is not None:
        return ((label,),)
    found: list[list[str]] = [[] for _ in choices]
    for option in options:
        at, label = _place(choices, option, found)
        if label not in found[at]:
            found[at].append(label)
    for number, (one, labels) in enumerate(zip(choices, found, strict=True), 1):
        if labels and not one.labels:
            labels[:] = [",".join(labels)]  # a text that looked like numbers
        if len(labels) > 1 and not one.several:
            raise InvalidChoice(f"{_named(choices, number)} takes one answer, not {', '.join(labels)}.")
        if not labels and not message:
            raise InvalidChoice(f"{_named(choices, number)} has no answer. {_how(choices, number)}")
    return tuple(map(tuple, found))


def _meant(choices: Sequence[Choice], text: str) -> str | None:
    """The option that a text names; None where there are several questions, and where it names none or several."""
    labels = choices[0].labels if len(choices) == 1 else ()
    if text in labels:
        return text
    alike = [label for label in labels if label.strip().casefold() == text.strip().casefold()]
    return alike[0] if len(alike) == 1 else None


def typed(choices: Sequence[Choice]) -> str:
    """The numbers of options as people type them, with their labels: `1 (Red), 2 (Blue)`, for each question."""
    if len(choices) == 1:
        return _numbered(choices[0])
    return "; ".join(f"{one.text}: {_numbered(one)}" for one in choices)


def example(choices: Sequence[Choice]) -> str:
    """An answer that is taken as it stands: the number of an option for each question, with `1,2` for several."""
    return " ".join("1,2" if one.several and len(one.labels) > 1 else "1" for one in choices)


def answer_of(event: Mapping[str, Any]) -> str:
    """The labels and the person's words in an event of an answer; "" where it only allows or denies."""
    return ", ".join(map(str, filter(None, (*(event.get("options") or ()), event.get("answer")))))


def typed_text(options: Sequence[str]) -> str:
    """The text that a person has typed, where it was taken for numbers of options: `443`, `1,3 2`; "": it was none."""
    words: dict[str, list[str]] = {}
    for option in options:
        found = _TYPED.fullmatch(option)
        if found is None:
            return ""
        words.setdefault(found[1], []).append(found[2])
    return " ".join(map(",".join, words.values()))


def _numbered(choice: Choice) -> str:
    return ", ".join(f"{number} ({label})" for number, label in enumerate(choice.labels, 1)) or "a text"


def _place(choices: Sequence[Choice], option: str, found: Sequence[Sequence[str]]) -> tuple[int, str]:
    """Which question an option answers, and with which label; one that several offer answers them in their order."""
    plain = [at for at, one in enumerate(choices) if option in one.labels]
    if plain:
        return next((at for at in plain if not found[at]), plain[-1]), option
    number, colon, label = option.partition(":")
    if colon and number.isdecimal() and 1 <= int(number) <= len(choices):
        return _checked(choices, int(number) - 1, label)
    if choices and number.isdecimal() and label.startswith(PLACE):
        count = "One question is" if len(choices) == 1 else f"{len(choices)} questions are"
        raise InvalidChoice(f"{count} asked: one number for each, and 1,2 for several options.")
    for at, one in enumerate(choices):
        for name in filter(None, (one.text, one.heading)):
            if option.startswith(f"{name}="):
                return _checked(choices, at, option.removeprefix(f"{name}="))
    if len(choices) == 1 and option.startswith(PLACE):
        return _checked(choices, 0, option)
    raise InvalidChoice(f"{option!r} is not one of its options: {', '.join(offered(choices)) or 'none'}.")


def _checked(choices: Sequence[Choice], at: int, label: str) -> tuple[int, str]:
    labels = choices[at].labels
    if not labels and label.startswith(PLACE):
        return at, label.removeprefix(PLACE)
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
