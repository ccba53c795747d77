"""A note as a file: TOML between lines of `+++`, an empty line, the text. Pure.

Such files travel by git, so that people read, change and merge them: a file says which version of which note it was
made from, and what was changed in it since is the next version.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from overmind_core.domain.memory.notes import (
    ID,
    KEY,
    LONGEST_TAG,
    LONGEST_TEXT,
    MOST_FILES,
    MOST_TAGS,
    NoteKind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIX = ".md"
LARGEST_FILE = 64 * 1024
"""Bytes."""
FENCE = "+++"
VERSION_DIGITS = 12
"""Digits of a version's id in a file: enough to tell the versions of one note apart."""
LONGEST_WORDS = 40
"""Characters of a file's name before the id."""
_VERSION = re.compile(rf"[0-9a-f]{{{VERSION_DIGITS}}}")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_OURS, _THEIRS = re.compile(r"<{7}(?: |$)"), re.compile(r">{7}(?: |$)")


@dataclass(frozen=True, slots=True)
class NoteFile:
    """The content of a note's file."""

    text: str
    id: str = ""
    """"" of a file that a person has written: it becomes a new note."""
    version: str = ""
    """The beginning of the id of the version that it was made from; "" for none."""
    kind: NoteKind = NoteKind.FACT
    key: str = ""
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pinned: bool = False
    author: str = ""
    """For people only: whoever imports a change has made it."""


class FileMistake(Exception):
    """A text that is no file of a note.

    Attributes:
        line: Where, from 1.
        why: What is wrong, without a full stop.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


def file_name(note: NoteFile) -> str:
    """The name of its file: its key, or its first words, and its id."""
    words = note.key.replace("/", "-") or "-".join(re.findall(r"[a-z0-9]+", note.text.lower()))
    beginning = words[:LONGEST_WORDS]
    if len(words) > LONGEST_WORDS and "-" in beginning and not note.key:
        beginning = beginning.rpartition("-")[0]
    return f"{beginning.strip('.-') or 'note'}-{note.id}{SUFFIX}"


def render(note: NoteFile) -> str:
    """The text of its file; the same note gives the same bytes."""
    fields: list[tuple[str, str | bool | Sequence[str]]] = [
        ("id", note.id),
        ("version", note.version),
        ("kind", note.kind.value),
        ("key", note.key),
        ("tags", note.tags),
        ("files", note.files),
        ("pin", note.pinned),
        ("author", note.author),
    ]
    head = [f"{name} = {_toml(value)}" for name, value in fields if value]
    return "\n".join([FENCE, *head, FENCE, "", note.text, ""])


def _toml(value: str | bool | Sequence[str]) -> str:  # noqa: FBT001 - a value of TOML
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # JSON writes a string as TOML does, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(_toml, value))}]"


def parse(text: str) -> NoteFile:
    """The note that a file holds.

    Raises:
        FileMistake: it is none of a note, or one half of it is somebody else's.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    _refuse_conflicts(lines)
    if lines[0].rstrip() != FENCE:
        raise FileMistake(1, f"a note begins with a line {FENCE}")
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise FileMistake(1, f"the line {FENCE} below the fields is missing")
    fields = _fields(lines[1:end])
    below = lines[end + 1 :]
    if below and not below[0].strip():
        below = below[1:]
    if below and not below[-1]:
        below = below[:-1]
    body = "\n".join(below)
    if not body.strip():
        raise FileMistake(end + 1, "there is no text")
    if len(body) > LONGEST_TEXT:
        raise FileMistake(end + 1, f"the text has {len(body)} characters, the limit is {LONGEST_TEXT}")
    return NoteFile(text=body, **fields)


def _refuse_conflicts(lines: Sequence[str]) -> None:
    """Refuse the marks of git's merge; a line of `=======` alone is a heading of Markdown."""
    for at, line in enumerate(lines):
        if _OURS.match(line) and any(_THEIRS.match(below) for below in lines[at + 1 :]):
            raise FileMistake(at + 1, "a merge conflict")
        if _OURS.match(line):  # nothing below ends it, nor any later one
            return


def _fields(lines: Sequence[str]) -> dict[str, Any]:
    try:
        found = tomllib.loads("\n".join(lines) + "\n")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _AT_LINE.search(str(error))
        line = int(at[1]) if at and at[1] else len(lines)
        raise FileMistake(line + 1, _AT_LINE.sub("", str(error))) from None
    fields: dict[str, Any] = {}
    for name, value in found.items():
        problem = _problem(name, value)
        if problem is not None:
            raise FileMistake(_line_of(name, lines), f"{name}: {problem}")
        fields["pinned" if name == "pin" else name] = tuple(value) if isinstance(value, list) else value
    if "kind" in fields:
        fields["kind"] = NoteKind(fields["kind"])
    return fields


def _problem(name: str, value: object) -> str | None:
    """The mistake in a field; None: none."""
    if name in _TEXTS:
        return None if isinstance(value, str) and _TEXTS[name][0].fullmatch(value) else _TEXTS[name][1]
    if name in _LISTS:
        return _problem_of_list(name, value)
    if name == "pin":
        return None if isinstance(value, bool) else "write true or false"
    return "unknown field"


def _problem_of_list(name: str, value: object) -> str | None:
    most, longest = _LISTS[name]
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        return "write a list of strings in quotes"
    if len(value) > most or any(len(one) > longest for one in value):
        return f"at most {most} of {longest} characters"
    return None


LONGEST_GLOB = 1000
"""Characters of a glob, as long as a path gets."""
_LISTS = {"tags": (MOST_TAGS, LONGEST_TAG), "files": (MOST_FILES, LONGEST_GLOB)}
"""Field → most of them, and characters of each."""
_TEXTS: dict[str, tuple[re.Pattern[str], str]] = {
    "id": (ID, "write the id of a note, such as N-7f3k9c2m4q, or leave the line out"),
    "version": (_VERSION, f"write {VERSION_DIGITS} hexadecimal digits, or leave the line out"),
    "kind": (re.compile("|".join(NoteKind)), f"write one of {', '.join(NoteKind)}"),
    "key": (KEY, "write small letters, digits and . _ / -, at most 63"),
    "author": (re.compile(r"(?s).{0,255}"), "write a name in quotes"),
}
"""Field → what it looks like, and what is said of another value."""


def _line_of(name: str, lines: Sequence[str]) -> int:
    """The line of the file in which a field stands."""
    begins = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[=.\]]|\s*\[+\s*{re.escape(name)}")
    return next((at for at, line in enumerate(lines, 2) if begins.match(line)), 1)
