"""Reading the documents of a spec from its folder, in a thread: agents and other people write in it, too."""

from __future__ import annotations

import os
from typing import NamedTuple

from overmind_core.domain.text.bytestrings import from_wire
from overmind_tui.specs.rows import BRIEF, Work

MARKDOWN = ".md"


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
    return bool("".join(read(folder, BRIEF).lines).strip())


Stamp = tuple[int, int, int]
"""Of a file: its number, its size, and when it was written, in nanoseconds."""


def stamp(folder: str, phase: str) -> Stamp | None:
    """What tells a document that was written anew; None: there is none."""
    try:
        found = os.lstat(path_of(folder, phase))
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def work_of(folder: str) -> Work:
    """The tasks of its document, as far as that can be read."""
    from overmind_core.domain.specs.markdown import parse  # noqa: PLC0415 - not for the first frame
    from overmind_core.domain.specs.shape import Tasks  # noqa: PLC0415 - same
    from overmind_core.domain.specs.spec import PhaseName  # noqa: PLC0415 - same
    from overmind_core.domain.specs.sync import critical_path  # noqa: PLC0415 - same
    from overmind_core.domain.text.graph import Cycle, order  # noqa: PLC0415 - same

    found = read(folder, PhaseName.TASKS)
    document = None if found.why_not else parse(PhaseName.TASKS, "\n".join(found.lines)).document
    if not isinstance(document, Tasks):
        return Work()
    try:
        ordered = order({task.id: task.needs for task in document.tasks})
    except Cycle:
        ordered = []
    return Work(document.tasks, frozenset(critical_path(document.tasks, ordered).tasks))


def name_of(phase: str) -> str:
    """The name of a phase's document."""
    return f"{phase}{MARKDOWN}"
