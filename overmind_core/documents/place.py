"""A value of a project's file under its name, and what may be wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from overmind_core.documents.yaml import Node, Scalar, ScalarKind, Series, Table, short
from overmind_core.domain.text.duration import DurationError, parse_duration
from overmind_core.domain.text.problems import Problem, hinted

MAX_PORT = 65_535
MAX_DIGITS = 9
"""Of any number in the file."""
_TRUE = frozenset({"true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class YamlValue:
    """One value; each reader returns what it means, or None after it has told what is wrong."""

    problems: list[Problem]
    name: str
    """Its keys from the root, with dots between them."""
    node: Node
    key: tuple[int, int]
    """Line and column of its key."""

    def wrong(self, message: str) -> None:
        """Something is wrong with the value."""
        self.problems.append(Problem(self.node.line, self.node.column, self._named(message)))

    def wrong_key(self, message: str) -> None:
        """Something is wrong with the key."""
        self.problems.append(Problem(*self.key, self._named(message)))

    def _named(self, message: str) -> str:
        return f"{self.name}: {message}" if self.name else message

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is written behind the key."""
        return isinstance(self.node, Scalar) and self.node.kind is ScalarKind.NOTHING

    def pairs(self) -> dict[str, YamlValue] | None:
        """What stands in a table, by its keys."""
        if not isinstance(self.node, Table):
            self.wrong("write a table: keys, each with a value")
            return None
        return {
            name: YamlValue(
                self.problems,
                f"{self.name}.{short(name)}" if self.name else short(name),
                entry.value,
                (entry.line, entry.column),
            )
            for name, entry in self.node.entries.items()
        }

    def table(self, known: Iterable[str]) -> dict[str, YamlValue] | None:
        """What stands in a table under keys that are known; of the others it is told."""
        words = tuple(known)
        found = self.pairs()
        for name, spot in (found or {}).items():
            if name not in words:
                where = f" in {self.name}" if self.name else ""
                told = hinted(f"unknown key {short(name)!r}{where}; known are {', '.join(words)}", name, words)
                self.problems.append(Problem(*spot.key, told))
        return None if found is None else {name: found[name] for name in words if name in found}

    def text(self) -> str | None:
        """A text that says something."""
        if not isinstance(self.node, Scalar) or self.node.kind is ScalarKind.NOTHING:
            self.wrong("write a text")
        elif self.node.kind is not ScalarKind.TEXT:
            self.wrong(f'write a text: "{short(self.node.text)}" in quotes, if that is meant')
        elif not self.node.text.strip():
            self.wrong("write a text that is not empty")
        else:
            return self.node.text
        return None

    def written(self) -> str | None:
        """A word, a number or a text, as it was written."""
        if not isinstance(self.node, Scalar):
            self.wrong("write a single value")
        elif self.node.kind is ScalarKind.NOTHING:
            self.wrong('write a value; "" is an empty text')
        else:
            return self.node.text
        return None

    def texts(self) -> list[YamlValue]:
        """The texts of a list, or a single one."""
        if isinstance(self.node, Series):
            return [YamlValue(self.problems, self.name, one, (one.line, one.column)) for one in self.node.entries]
        if isinstance(self.node, Scalar) and self.node.kind is ScalarKind.TEXT:
            return [self]
        self.wrong("write a list of texts")
        return []

    def flag(self) -> bool | None:
        """True or false."""
        if isinstance(self.node, Scalar) and self.node.kind is ScalarKind.FLAG:
            return self.node.text.lower() in _TRUE
        self.wrong("write true or false")
        return None

    def port(self) -> int | None:
        """The number of a port."""
        if isinstance(self.node, Scalar) and self.node.kind is ScalarKind.WHOLE:
            number = plain_number(self.node.text)
            if number is not None and 1 <= number <= MAX_PORT:
                return number
        self.wrong(f"write the number of a port, from 1 to {MAX_PORT}")
        return None

    def seconds(self) -> float | None:
        """A duration above 0; a bare number counts in seconds."""
        if not isinstance(self.node, Scalar) or self.node.kind in {ScalarKind.FLAG, ScalarKind.NOTHING}:
            self.wrong("write a duration, such as 30s")
            return None
        try:
            found = parse_duration(self.node.text)
        except DurationError:
            self.wrong("write a duration: a number with ms, s, m, h or d, such as 30s or 1.5m")
            return None
        if found <= 0:
            self.wrong("it must be more than 0")
            return None
        return found

    def choice(self, known: Iterable[str]) -> str | None:
        """One of these words."""
        words = tuple(known)
        written = self.text()
        if written is None or written in words:
            return written
        self.wrong(hinted(f"unknown value {short(written)!r}, known are {', '.join(words)}", written, words))
        return None

    def checked(self, problem: Callable[[str], str | None]) -> str | None:
        """A text with which nothing is wrong."""
        written = self.text()
        told = None if written is None else problem(written)
        if told is None:
            return written
        self.wrong(told)
        return None


def plain_number(text: str) -> int | None:
    """Return a number in decimal digits; YAML has other ways to write one, which nobody means."""
    return int(text) if re.fullmatch(rf"0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}", text) else None
