"""The file that a tool would write anew, or edit: what stands there now, so that nobody allows a change unseen."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.agents.answer_types import ReplacedFile

LARGEST = 256 * 1024
"""Bytes; a larger file is named, not shown."""


def path_written(subject: Mapping[str, Any], cwd: str) -> str | None:
    """The file whose whole text a tool would write; None where it does something else."""
    path, content = subject.get("file_path"), subject.get("content")
    if not isinstance(path, str) or not isinstance(content, str):
        return None
    return os.path.join(from_wire(cwd), from_wire(path))


def replaced_file(path: str) -> ReplacedFile:
    """The present content of the path. Reads a file: for a worker thread."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return {"state": "new", "bytes": 0, "text": None}
    except (OSError, ValueError):
        return {"state": "unreadable", "bytes": 0, "text": None}
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        size = status.st_size
        if not stat.S_ISREG(status.st_mode) or size > LARGEST:
            return {"state": "unreadable", "bytes": size, "text": None}
        data = file.read(LARGEST)
    try:
        return {"state": "text", "bytes": size, "text": data.decode()}
    except UnicodeDecodeError:
        return {"state": "unreadable", "bytes": size, "text": None}


def begins_of(subject: Mapping[str, Any], cwd: str) -> list[int] | None:
    """The line of its file in which each edit that a tool would make begins, one after the other.

    0: nobody knows. None where it edits no file. Reads a file: for a worker thread.
    """
    path, several = subject.get("file_path"), subject.get("edits")
    edits = several if isinstance(several, list) and several else [subject]
    if not isinstance(path, str) or not all(map(_is_edit, edits)):
        return None
    text = replaced_file(os.path.join(from_wire(cwd), from_wire(path)))["text"] or ""
    begins = []
    for edit in edits:
        old, new = edit["old_string"], edit["new_string"]
        at = text.find(old) if old else -1
        begins.append(0 if at < 0 else text.count("\n", 0, at) + 1)
        if at >= 0:
            text = text.replace(old, new, -1 if edit.get("replace_all") else 1)
    return begins


def _is_edit(one: object) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(name), str) for name in ("old_string", "new_string"))
