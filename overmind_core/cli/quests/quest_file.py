"""A file of quests: a JSON object per line, with the fields of the API. Mistakes are named by file and line."""

from __future__ import annotations

import json
import os
import re
import sys
from codecs import BOM_UTF8
from contextlib import contextmanager

from overmind_core.cli.context import STDIN
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.wire.framing import MAX_LINE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Self


_IN_REQUEST = re.compile(r" - at `\$\.quests\[([0-9]+)\]\.?([^`]*)`")
"""How the daemon names a part of the request, behind what is wrong with it: its place, and the field."""


MOST_QUESTS = 10_000
"""That can be unfinished at a time."""


class LineMistake(Exception):
    """A line that is no quest; the text says why."""


class QuestFile:
    """The quests of a file, and the line of each."""

    def __init__(self, name: str, quests: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> None:
        self.name = name
        """As the person wrote it."""
        self.quests = quests
        self._lines = lines

    @classmethod
    def read(cls, path: str, cwd: str) -> Self:
        """Read a file, or standard input for `-`; folders in it count from `cwd`.

        Raises:
            OvermindError: `invalid`, naming file and line; `too_large`.
        """
        name = "standard input" if path == STDIN else path
        quests, lines = [], []
        for number, line in enumerate(_content(path, name).split(b"\n"), start=1):
            if line.strip():
                try:
                    quests.append(_quest(line, cwd))
                except LineMistake as error:
                    raise OvermindError("invalid", f"{name}:{number}: {error}") from None
                lines.append(number)
        if not quests:
            raise OvermindError("invalid", f"{name} has no quests: write a JSON object per line.")
        if len(quests) > MOST_QUESTS:
            raise OvermindError("too_large", f"{name} has {len(quests):,} quests; the limit is {MOST_QUESTS:,}.")
        return cls(name, quests, lines)

    @contextmanager
    def places(self) -> Iterator[None]:
        """Name file and line in what the daemon refuses.

        Raises:
            OvermindError: the same, so named.
        """
        try:
            yield
        except OvermindError as error:
            place = self._place(error)
            if place is None:
                raise
            message = _IN_REQUEST.sub(lambda found: f" - at `{found[2]}`" if found[2] else "", error.message)
            raise OvermindError(error.code, f"{self.name}:{place}: {message}", **error.fields) from None

    def _place(self, error: OvermindError) -> int | None:
        """The line that it is about; None when it is about none, or all."""
        found = _IN_REQUEST.search(error.message)
        number = int(found[1]) if found else error.fields.get("number")
        if found is None and isinstance(number, int):
            number -= 1  # people count from 1
        if number is None and len(self._lines) == 1:
            number = 0
        return self._lines[number] if isinstance(number, int) and 0 <= number < len(self._lines) else None


def _content(path: str, name: str) -> bytes:
    try:
        if path == STDIN:
            found = sys.stdin.buffer.read(MAX_LINE + 1)
        else:
            with open(from_wire(path), "rb") as file:
                found = file.read(MAX_LINE + 1)
    except OSError as error:
        raise OvermindError("invalid", f"{name}: {error.strerror}.") from None
    if len(found) > MAX_LINE:
        raise OvermindError("too_large", f"{name} has more than {MAX_LINE // 1024 // 1024} MiB; add it in parts.")
    return found.removeprefix(BOM_UTF8)


def _quest(line: bytes, cwd: str) -> dict[str, Any]:
    """One line.

    Raises:
        LineMistake: it is no quest.
    """
    try:
        quest = json.loads(line.decode(), parse_constant=_refuse)
        json.dumps(quest, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeError:
        raise LineMistake("the line is not valid UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise LineMistake(f"not valid JSON: {error.msg} at column {error.colno}.") from None
    except RecursionError:
        raise LineMistake("not valid JSON: it is nested too deeply.") from None
    except ValueError as error:  # a number of thousands of digits, or beyond all that a number can be
        raise LineMistake(f"not valid JSON: {error}.") from None
    if not isinstance(quest, dict):
        raise LineMistake('write a JSON object, such as {"title": "Build", "command": "make"}.')
    folder = quest.get("cwd")
    if isinstance(folder, str) and folder and not os.path.isabs(folder):
        quest["cwd"] = to_wire(os.path.join(from_wire(cwd), from_wire(folder)))
    return quest


def _refuse(word: str) -> None:
    raise LineMistake(f"not valid JSON: {word}.")
