"""The documents of a spec as texts, for who shows them: agents and other people write in its folder, too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.bytestrings import from_wire

if TYPE_CHECKING:
    from overmind_core.domain.specs.shape import SpecTask

MARKDOWN = ".md"
_BRIEF = "brief"
"""The document that a person gives."""


class DocumentText(NamedTuple):
    """What a document says.

    Attributes:
        lines: Its text; empty where there is none.
        why_not: Why there is none; "" where there is.
    """

    lines: tuple[str, ...]
    why_not: str = ""


def path_of(folder: str, phase: str) -> str:
    """The file of a phase's document; `folder`: of the spec, in wire form."""
    return os.path.join(from_wire(folder), f"{phase}{MARKDOWN}")


def read(folder: str, phase: str) -> DocumentText:
    """A document as it is now: a regular file, no link, of a size that a document may have."""
    from overmind_core.domain.text.problems import Problems  # noqa: PLC0415 - not for the first frame
    from overmind_core.spec_files.documents import read_text  # noqa: PLC0415 - same

    try:
        text = read_text(path_of(folder, phase))
    except OSError as error:
        return DocumentText((), error.strerror or str(error))
    except Problems as error:
        return DocumentText((), error.problems[0].message)
    if text is None:
        return DocumentText((), "it is not written yet")
    return DocumentText(tuple(text.split("\n")[: -1 if text.endswith("\n") else None]))


def has_brief(folder: str) -> bool:
    """Whether a person has said more than a title."""
    return bool("".join(read(folder, _BRIEF).lines).strip())


Stamp = tuple[int, int, int]
"""Of a file: its number, its size, and when it was written, in nanoseconds."""


def stamp(folder: str, phase: str) -> Stamp | None:
    """What tells a document that was written anew; None: there is none."""
    try:
        found = os.lstat(path_of(folder, phase))
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def tasks(folder: str) -> tuple[Sequence[SpecTask], frozenset[str]]:
    """The tasks of its document, as far as that can be read, and the ids of those on the critical path."""
    from overmind_core.domain.specs.markdown import parse  # noqa: PLC0415 - not for the first frame
    from overmind_core.domain.specs.shape import Tasks  # noqa: PLC0415 - same
    from overmind_core.domain.specs.spec import PhaseName  # noqa: PLC0415 - same
    from overmind_core.domain.specs.sync import critical_path  # noqa: PLC0415 - same
    from overmind_core.domain.text.graph import Cycle, order  # noqa: PLC0415 - same

    found = read(folder, PhaseName.TASKS)
    document = None if found.why_not else parse(PhaseName.TASKS, "\n".join(found.lines)).document
    if not isinstance(document, Tasks):
        return (), frozenset()
    try:
        ordered = order({task.id: task.needs for task in document.tasks})
    except Cycle:
        ordered = []
    return document.tasks, frozenset(critical_path(document.tasks, ordered).tasks)


def name_of(phase: str) -> str:
    """The name of a phase's document."""
    return f"{phase}{MARKDOWN}"
