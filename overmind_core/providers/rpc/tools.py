"""Tools of the Agent Client Protocol in the words in which rules and people know them: `Bash`, `Edit`, `Read`. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents.agent_events import LONGEST_COMMAND, ToolCalled
from overmind_core.domain.agents.permission import SHELL, TITLE_ONLY
from overmind_core.providers.lines import Object, digest, object_at, objects_at, one_line, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

EDIT, READ, FETCH, OTHER = "Edit", "Read", "WebFetch", "Tool"
EDITING = frozenset({"edit", "delete", "move"})
"""Kinds of tools that change files."""
MOST_FILES = 1000
"""Of one call that are told."""
_PATHS = ("file_path", "filePath", "filepath", "absolute_path", "path")


class Tool(NamedTuple):
    """One call of a tool, as far as it was told."""

    call: str
    name: str
    summary: str
    subject: Mapping[str, Any]
    """Its input, with the names of fields by which rules know it."""
    paths: tuple[str, ...] = ()
    edits: bool = False

    @property
    def called(self) -> ToolCalled:
        """The fact that it is used."""
        runs = self.name == SHELL
        return ToolCalled(
            self.call,
            self.name,
            self.summary,
            paths=self.paths,
            edits=self.edits,
            runs=runs,
            digest="" if self.edits else digest(dict(self.subject)),
            command=str(self.subject.get("command", ""))[:LONGEST_COMMAND] if runs else "",
        )


def merged(before: Object, update: Object) -> Object:
    """The call as an update leaves it: what that does not tell, or tells as empty, stays."""
    return {**before, **{name: value for name, value in update.items() if value not in (None, "", [], {})}}


def tool_of(told: Object) -> Tool:
    """Return the call that the fields of a `toolCall` describe."""
    call, kind = text_at(told, "toolCallId"), text_at(told, "kind")
    title, given = text_at(told, "title"), object_at(told, "rawInput")
    if kind == "execute":
        return _shell(call, title, given)
    if kind in EDITING:
        return _edit(call, title, told)
    paths = _files(told)
    if kind == "read" and len(paths) == 1:
        return Tool(call, READ, f"{READ}: {one_line(paths[0])}", {"file_path": paths[0]}, paths)
    if kind == "fetch" and (url := text_at(given, "url")):
        return Tool(call, FETCH, f"{FETCH}: {one_line(url)}", {"url": url})
    return Tool(call, OTHER, one_line(title) or OTHER, _any(title, given), paths)


def _shell(call: str, title: str, given: Object) -> Tool:
    command = given.get("command")
    if isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        command = shlex.join(command)
    if isinstance(command, str) and command.strip():
        about = {"description": given["description"]} if text_at(given, "description") else {}
        return Tool(call, SHELL, f"{SHELL}: {one_line(command)}", {"command": command, **about})
    return Tool(call, SHELL, f"{SHELL}: {one_line(title)}", {"command": title, TITLE_ONLY: True})


def _edit(call: str, title: str, told: Object) -> Tool:
    """One file under its path; several, or none that is named, are no `Edit`: no rule about a file knows them."""
    changes = [one for one in objects_at(told, "content") if text_at(one, "type") == "diff" and text_at(one, "path")]
    paths = tuple(dict.fromkeys([*(text_at(one, "path") for one in changes), *_files(told)]))[:MOST_FILES]
    shown = [_change(one) for one in changes]
    if len(paths) != 1:
        files: list[Any] = [
            {"file_path": text_at(one, "path"), **change} for one, change in zip(changes, shown, strict=True)
        ]
        about = {"title": title, **({"files": files or [*paths]} if paths else {})}
        return Tool(call, OTHER, one_line(title) or OTHER, about, paths, edits=True)
    subject: dict[str, Any] = {"file_path": paths[0]}
    if len(shown) == 1:
        subject |= shown[0]
    elif shown:
        subject |= {"edits": shown}
    else:
        subject |= {"title": title} if title else {}
    return Tool(call, EDIT, f"{EDIT}: {one_line(paths[0])}", subject, paths, edits=True)


def _change(diff: Object) -> dict[str, Any]:
    old, new = text_at(diff, "oldText"), text_at(diff, "newText")
    return {"old_string": old, "new_string": new} if old else {"content": new}


def _files(told: Object) -> tuple[str, ...]:
    given = object_at(told, "rawInput")
    named = [text_at(one, "path") for one in objects_at(told, "locations")]
    found = [*named, *(text_at(given, name) for name in _PATHS)]
    return tuple(dict.fromkeys(path for path in found if path))[:MOST_FILES]


def _any(title: str, given: Object) -> dict[str, Any]:
    return {"title": title, **given} if title else dict(given)
