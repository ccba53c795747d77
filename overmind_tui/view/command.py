"""The language behind `:`: a view with a filter, or a command-line verb with its words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Show(NamedTuple):
    """Go to a view; `filter` None leaves the filter alone."""

    view: str
    filter: str | None = None


class Do(NamedTuple):
    """Run a verb with these words."""

    verb: str
    words: tuple[str, ...]


class Leave(NamedTuple):
    """Leave the program."""


class Unknown(NamedTuple):
    """Nothing that we know; why."""

    reason: str


Command = Show | Do | Leave | Unknown | None


def parsed(text: str, *, views: Mapping[str, str], verbs: Iterable[str], leave: Iterable[str]) -> Command:
    """What a line means; None for an empty one.

    Args:
        text: Without the colon.
        views: Word → name of the view.
        verbs: The verbs that are run.
        leave: The words that leave.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        return Unknown(f"{text!r}: {error}")
    if not words:
        return None
    first, *rest = words
    if first in leave and not rest:
        return Leave()
    if first in verbs:
        return Do(first, tuple(rest))
    named = [views[word] for word in words if word in views]
    others = [word for word in words if word not in views]
    if len(named) == 1 and all(word.startswith("/") or "=" in word for word in others):
        return Show(named[0], _filter(others) if others else None)
    return Unknown(f"there is no command {first!r}")


def ghost(text: str, names: Iterable[str]) -> str:
    """What completes the first word, the shortest name first; "" when nothing does."""
    if not text or " " in text:
        return ""
    fitting = sorted(
        (name for name in names if name.startswith(text) and name != text), key=lambda one: (len(one), one)
    )
    return fitting[0][len(text) :] if fitting else ""


def _filter(words: Iterable[str]) -> str:
    return " ".join(
        word.removeprefix("/") if word.startswith("/") else f"label={word.removeprefix('label=')}" for word in words
    )
