"""A TOML text as values, with the place of each; or why it is none."""

from __future__ import annotations

import re
from typing import Any

from tomlkit import parse
from tomlkit.exceptions import ParseError, TOMLKitError

from overmind_core.blueprints.places import Duplicate, Places
from overmind_core.blueprints.walk import places
from overmind_core.domain.problems import Problem, Problems

_WHERE = re.compile(r" at line \d+ col \d+$")
_END = (r"'\x00'", "end of file")
"""Words of tomlkit that mean: the text is over and something is not."""


def document(text: str) -> tuple[dict[str, Any], Places, list[Problem]]:
    """Return what a text says, where it says it, and which keys it says twice: the first one counts.

    Raises:
        Problems: it is no TOML.
    """
    try:
        return _document(text.replace("\r\n", "\n"))
    except RecursionError:
        raise Problems([Problem(1, 1, "lists and tables stand too deep within each other")]) from None


def _document(text: str) -> tuple[dict[str, Any], Places, list[Problem]]:
    try:
        return _values(text), places(text), []
    except (ParseError, TOMLKitError) as error:
        found = places(text)
        if not found.duplicates:
            raise Problems([_syntax(error, found)]) from None
    return _without_duplicates(text, found)


def _without_duplicates(text: str, found: Places) -> tuple[dict[str, Any], Places, list[Problem]]:
    """What is right besides them is still looked at, so that all problems are told at once."""
    doubled = [Problem(*found.position(one.key), _told(one, found)) for one in found.duplicates]
    for one in found.duplicates:
        text = _blanked(text, one)
    rest = places(text)
    try:
        return _values(text), rest, doubled
    except (ParseError, TOMLKitError) as error:
        raise Problems([*doubled, _syntax(error, rest)]) from None


def _values(text: str) -> dict[str, Any]:
    return dict(parse(text).unwrap())


def _told(doubled: Duplicate, found: Places) -> str:
    name = ".".join(str(part) for part in doubled.path if isinstance(part, str))
    line, _ = found.position(found.of_key(doubled.path))
    return f"{name} is there twice: first in line {line}"


def _blanked(text: str, doubled: Duplicate) -> str:
    """The text without it; every other character stays where it is."""
    start, end = doubled.span
    before = text[:start].rstrip()
    start = len(before) - 1 if before.endswith(",") else start
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _syntax(error: Exception, found: Places) -> Problem:
    """What tomlkit found, in its words; its columns begin at 0."""
    said = _WHERE.sub("", str(error)).rstrip(".")
    said = said if said[1:2].isupper() else said[:1].lower() + said[1:]
    at_end = any(words in said for words in _END) and "\0" not in found.text
    if found.unclosed is not None:
        return Problem(*found.position(found.unclosed), "what begins here has no end")
    if at_end:
        return Problem(*found.position(len(found.text.rstrip())), "the file ends too early")
    if isinstance(error, ParseError):
        return Problem(error.line, error.col + 1, said)
    return Problem(1, 1, said)
