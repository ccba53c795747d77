"""A line that is being typed, and what each key does to it: readline's keys, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from overmind_core.domain.text.cells import width


class Field(NamedTuple):
    """Text, the cursor's place in it, and what was cut last."""

    text: str = ""
    at: int = 0
    cut: str = ""

    @classmethod
    def of(cls, text: str) -> Field:
        """A field with the cursor at the end."""
        return cls(text, len(text))


def typed(field: Field, text: str) -> Field:
    """The field after typing or pasting `text`: control characters and line ends become spaces."""
    clean = "".join(character if character.isprintable() else " " for character in text.rstrip("\r\n"))
    return field._replace(text=field.text[: field.at] + clean + field.text[field.at :], at=field.at + len(clean))


def begin(field: Field, cells: int) -> int:
    """Where the shown part begins, when `cells` cells stand before the cursor."""
    at, left = field.at, cells
    while at > 0 and (left := left - width(field.text[at - 1])) >= 0:
        at -= 1
    return at


def pressed(field: Field, key: str) -> Field | None:
    """The field after a key that isn't a character; None when the key means nothing here."""
    move = _MOVES.get(key)
    if move is not None:
        return field._replace(at=move(field))
    reach = _CUTS.get(key)
    if reach is not None:
        return _without(field, reach(field))
    if key == "ctrl+y":
        return typed(field, field.cut)
    return None


def _word_left(field: Field) -> int:
    at = field.at
    while at > 0 and not field.text[at - 1].isalnum():
        at -= 1
    while at > 0 and field.text[at - 1].isalnum():
        at -= 1
    return at


def _word_right(field: Field) -> int:
    at = field.at
    while at < len(field.text) and not field.text[at].isalnum():
        at += 1
    while at < len(field.text) and field.text[at].isalnum():
        at += 1
    return at


def _space_left(field: Field) -> int:
    at = field.at
    while at > 0 and field.text[at - 1].isspace():
        at -= 1
    while at > 0 and not field.text[at - 1].isspace():
        at -= 1
    return at


def _without(field: Field, to: int) -> Field:
    start, end = sorted((field.at, to))
    gone = field.text[start:end]
    kept = gone if len(gone) > 1 else field.cut
    return Field(field.text[:start] + field.text[end:], start, kept)


_MOVES: Mapping[str, Callable[[Field], int]] = {
    "left": lambda field: max(field.at - 1, 0),
    "ctrl+b": lambda field: max(field.at - 1, 0),
    "right": lambda field: min(field.at + 1, len(field.text)),
    "ctrl+f": lambda field: min(field.at + 1, len(field.text)),
    "home": lambda _: 0,
    "ctrl+a": lambda _: 0,
    "end": lambda field: len(field.text),
    "ctrl+e": lambda field: len(field.text),
    "alt+b": _word_left,
    "ctrl+left": _word_left,
    "alt+f": _word_right,
    "ctrl+right": _word_right,
}
_CUTS: Mapping[str, Callable[[Field], int]] = {
    "backspace": lambda field: max(field.at - 1, 0),
    "delete": lambda field: min(field.at + 1, len(field.text)),
    "ctrl+d": lambda field: min(field.at + 1, len(field.text)),
    "ctrl+w": _space_left,
    "alt+backspace": _word_left,
    "alt+d": _word_right,
    "ctrl+u": lambda _: 0,
    "ctrl+k": lambda field: len(field.text),
}
