"""What is wrong with a file that people write, and where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.domain.text.cells import did_you_mean


class Problem(NamedTuple):
    """One thing that is wrong. Sorts by its place."""

    line: int
    """From 1."""
    column: int
    """In characters, from 1."""
    message: str
    """One sentence without a full stop; it may quote the file, so it is no text for a terminal yet."""


class CycleProblem(Problem):
    """Things that depend on each other."""

    __slots__ = ()


class Problems(Exception):
    """A file can't be used.

    Attributes:
        problems: All that is wrong with it, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("; ".join(f"{line}:{column}: {message}" for line, column, message in self.problems))

    @property
    def code(self) -> str:
        """Of the error: `cycle` where nothing else is wrong."""
        return "cycle" if all(isinstance(one, CycleProblem) for one in self.problems) else "invalid"


def hinted(sentence: str, word: str, known: Iterable[str]) -> str:
    """The sentence about an unknown word, with known words that look like it."""
    hint = did_you_mean(word, known)
    return f"{sentence}.{hint}" if hint else sentence


def decoded(data: bytes) -> str:
    """The text of a file.

    Raises:
        Problems: it is not UTF-8.
    """
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise Problems([Problem(line, column, "the file is not UTF-8 from here on")]) from None
