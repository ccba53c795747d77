"""The two folders of an agent that works on a quest: it reads one and writes the other without asking. Pure.

A use of a tool is about such a folder only when its path says so as it stands: one that leads up with `..` is asked
about, and so is one whose way goes over a link, which only a look at the disk can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.domain.agents.agent import AgentFolders
from overmind_core.domain.text.file_pattern import exactly

READERS: Mapping[str, str] = {
    "Glob": "path", "Grep": "path", "LS": "path", "NotebookRead": "notebook_path", "Read": "file_path",
}  # fmt: skip
"""Tools that read → the field of their input that says where."""
WRITERS: Mapping[str, str] = {
    "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path", "Write": "file_path",
}  # fmt: skip
PATTERNS = ("pattern", "glob")
"""Fields that may lead elsewhere; of a tool that searches for a text, `pattern` is that text."""
TEXT_SEARCH = "Grep"
UP = ".."


class FolderUse(NamedTuple):
    """A use of a tool in one of the folders."""

    folder: str
    """Wire form."""
    names: tuple[str, ...]
    """The way from there."""
    rule: str
    """The rule that allows it."""


def rules(folders: AgentFolders) -> tuple[str, str]:
    """What the agent may do unasked, as rules are written."""
    return f"Read(/{exactly(folders.inputs)[1:]}/**)", f"Edit(/{exactly(folders.outputs)[1:]}/**)"


def use_of(folders: AgentFolders, tool: str, subject: Mapping[str, Any], cwd: str) -> FolderUse | None:
    """The use of a tool that a rule of ours is about; None: none is.

    Args:
        folders: The agent's.
        tool: Its name.
        subject: Its input.
        cwd: Where the agent works.
    """
    reading, writing = rules(folders)
    if tool in READERS and not _leads_elsewhere(tool, subject):
        return _below(folders.inputs, subject.get(READERS[tool]), cwd, reading)
    if tool in WRITERS:
        found = _below(folders.outputs, subject.get(WRITERS[tool]), cwd, writing)
        return found if found is not None and found.names else None
    return None


def _leads_elsewhere(tool: str, subject: Mapping[str, Any]) -> bool:
    given = [subject.get(key, "") for key in PATTERNS if (tool, key) != (TEXT_SEARCH, "pattern")]
    return any(not isinstance(one, str) or UP in one or one.startswith(("/", "~")) for one in given)


def _below(folder: str, path: object, cwd: str, rule: str) -> FolderUse | None:
    if not isinstance(path, str) or not path or "\0" in path:
        return None
    whole = path if path.startswith("/") else f"{cwd}/{path}"
    names, top = _names(whole), _names(folder)
    if UP in names or UP in top or names[: len(top)] != top:
        return None
    return FolderUse(folder, names[len(top) :], rule)


def _names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name not in {"", "."})
