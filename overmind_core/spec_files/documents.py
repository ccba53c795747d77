"""Reads the documents of a spec from its folder, where agents and other people may have put anything.

Only regular files up to a size are read, never links. Anything else in the place of a document is a fault of that
document, and is shown like a mistake in its text.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from overmind_core.domain.specs.check import CheckContext
from overmind_core.domain.specs.document_json import read_json
from overmind_core.domain.specs.markdown import parse, phase_of
from overmind_core.domain.specs.reading import Reading, read
from overmind_core.domain.specs.shape import MAX_BYTES, Fault
from overmind_core.domain.specs.spec import PHASES, PhaseName
from overmind_core.domain.text.problems import Problems, decoded
from overmind_core.system.small_file import read_small_file

SPECS = os.path.join(".overmind", "specs")
"""Folder of all specs of a repository, relative to its top."""
BRIEF = "brief.md"
MARKDOWN, JSON = ".md", ".json"


def spec_folder(top: str, slug: str) -> str:
    """Return the folder of a spec of the repository with this top."""
    return os.path.join(top, SPECS, slug)


def top_of(folder: str) -> str | None:
    """Return the top of the repository that has this folder of a spec; None: it is not the folder of a spec."""
    specs = os.path.dirname(os.path.abspath(folder))
    top = specs.removesuffix(SPECS)
    return (os.path.dirname(top) or os.sep) if top != specs and top.endswith(os.sep) else None


def document_name(phase: PhaseName) -> str:
    """Return the name of a phase's document in the folder of a spec."""
    return f"{phase}{MARKDOWN}"


def read_document(path: str, phase: PhaseName, *, title: str = "") -> Reading | None:
    """Return the document in a file; None: there is none.

    Args:
        path: Of JSON when it ends so, else of Markdown.
        phase: Which document it should be.
        title: The spec's, for JSON that has none.
    """
    try:
        text = read_text(path)
    except OSError as error:
        code = "too_large" if error.errno == errno.EFBIG else "invalid"
        return _unreadable(phase, Fault(code, error.strerror or str(error)))
    except Problems as error:
        first = error.problems[0]
        return _unreadable(phase, Fault("invalid", first.message, (), first.line))
    if text is None:
        return None
    return read_json(phase, text, title=title) if path.endswith(JSON) else parse(phase, text)


def _unreadable(phase: PhaseName, fault: Fault) -> Reading:
    return Reading(read(phase, {}).document, (fault,), is_readable=False)


def read_text(path: str, most: int = MAX_BYTES) -> str | None:
    """Return the text of a file that anybody may have written; None: there is none.

    Raises:
        OSError: it can't be read, is not a regular file, or is larger than `most` bytes.
        Problems: it is not UTF-8.
    """
    data = read_small_file(path, most, links=False)
    return None if data is None else decoded(data)


def phase_of_file(path: str) -> PhaseName | None:
    """Return the phase whose document a file is, by its name, else by its first line; None: that is not known."""
    name = os.path.basename(path).removesuffix(MARKDOWN).removesuffix(JSON).removesuffix(".new")
    if name in PHASES:
        return PhaseName(name)
    try:
        text = read_text(path)
    except (OSError, Problems):
        return None
    return None if text is None or path.endswith(JSON) else phase_of(text)


def read_folder(folder: str) -> dict[PhaseName, Reading]:
    """Return the documents in the folder of a spec, in the order of the phases; missing ones are left out."""
    found = {phase: read_document(os.path.join(folder, document_name(phase)), phase) for phase in PHASES}
    return {phase: reading for phase, reading in found.items() if reading is not None}


def check_context(readings: Mapping[PhaseName, Reading], files: frozenset[str] | None) -> CheckContext:
    """Return the context of a check: the documents without faults, and the names of the repository's files."""
    good = {phase: reading.document for phase, reading in readings.items() if not reading.faults}
    return CheckContext(good, files)
