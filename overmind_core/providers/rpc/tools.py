"""Tools of the Agent Client Protocol in the words in which rules and people know them: `Bash`, `Edit`, `Read`. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents.agent_events import LONGEST_COMMAND, ToolCalled
from overmind_core.domain.agents.permission import CWD, FETCH, FILES, OTHER, SHELL, TITLE_ONLY
from overmind_core.providers.lines import Object, digest, object_at, objects_at, one_line, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EDIT, READ = "Edit", "Read"
MCP = "mcp"
"""The kind of a use of a server's tool, which codex tells with its `server` and `tool`."""
MCP_BEGINS = "mcp__"
"""Names of such tools begin so, as rules know them."""
EDITING = frozenset({"edit", "delete", "move"})
"""Kinds of tools that change files."""
LONGEST_NAME = 128
"""Characters of the name of a server, or of its tool, by which rules know it."""
MOST_FILES = 1000
"""Of one call that are told."""
_PATHS = ("file_path", "filePath", "filepath", "absolute_path", "notebook_path", "path")
_FOLDERS = ("cwd", "workdir", "directory", "dir_path", "dir")
"""Fields that say where a command runs."""
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
_JOINED = ", "
"""Between several names in one field of opencode's."""


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


def tool_of(told: Object, folder: str) -> Tool:
    """Return the call that the fields of a `toolCall` describe.

    `folder`: where the agent works.
    """
    call, kind = text_at(told, "toolCallId"), text_at(told, "kind")
    title, given = text_at(told, "title"), object_at(told, "rawInput")
    if kind == "execute":
        return _shell(call, title, given, folder)
    if kind in EDITING:
        return _edit(call, title, told, folder)
    if kind == MCP:
        name = f"{MCP_BEGINS}{_named(told, 'server')}__{_named(told, 'tool')}"
        return Tool(call, name, name, dict(given))
    paths = _files(told, folder)
    if kind == "read":
        return _read(call, title, given, paths)
    if kind == "fetch":
        url = text_at(given, "url")
        subject = {"url": url} if url else _any(title, given)
        return Tool(call, FETCH, f"{FETCH}: {one_line(url or title)}", subject)
    return Tool(call, OTHER, one_line(title) or OTHER, _any(title, given), paths[:MOST_FILES])


def _named(told: Object, field: str) -> str:
    return _NO_NAME.sub("_", text_at(told, field)[:LONGEST_NAME])


def _shell(call: str, title: str, given: Object, folder: str) -> Tool:
    """All that was given, as it may say where and how the command runs."""
    command = given.get("command")
    if isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        command = shlex.join(command)
    if isinstance(command, str) and command.strip():
        said = (None, "", command, [command])
        other = {name: value for name, value in given.items() if name != "command" and value not in said}
        named = next((path for name in _FOLDERS if (path := text_at(given, name))), folder)
        where = {} if (there := _resolved(folder, named)) == _resolved(folder, "") else {CWD: there}
        return Tool(call, SHELL, f"{SHELL}: {one_line(command)}", {"command": command, **other, **where})
    return Tool(call, SHELL, f"{SHELL}: {one_line(title)}", {"command": title, TITLE_ONLY: True})


def _read(call: str, title: str, given: Object, paths: tuple[str, ...]) -> Tool:
    if len(paths) == 1:
        return Tool(call, READ, f"{READ}: {one_line(paths[0])}", {"file_path": paths[0]}, paths)
    unnamed = {name: value for name, value in given.items() if name not in {*_PATHS, FILES}}
    subject = {"title": title, FILES: [*paths]} if paths else _any(title, unnamed)
    return Tool(call, READ, _summary(READ, title, paths), subject, paths[:MOST_FILES])


def _edit(call: str, title: str, told: Object, folder: str) -> Tool:
    """One file under its path; several as `files`, those first whose change is told."""
    changes = [one for one in objects_at(told, "content") if text_at(one, "type") == "diff"]
    paths = _files(told, folder)
    shown = [_change(one) for one in changes]
    if len(paths) != 1 or not all(text_at(one, "path") for one in changes):
        files: list[Any] = [
            {"file_path": text_at(one, "path"), **change} for one, change in zip(changes, shown, strict=True)
        ]
        changed = {_resolved(folder, one["file_path"]) for one in files if one["file_path"]}
        files += [path for path in paths if _resolved(folder, path) not in changed]
        about = {"title": title, **({FILES: files} if files else {})}
        return Tool(call, EDIT, _summary(EDIT, title, paths), about, paths[:MOST_FILES], edits=True)
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


def _summary(tool: str, title: str, paths: Sequence[str]) -> str:
    """The files of a use, or how its program calls it where it names none."""
    return f"{tool}: {one_line(_JOINED.join(paths[:MOST_FILES]) or title)}"


def _files(told: Object, folder: str) -> tuple[str, ...]:
    """The files that it names, each once: in changes, in its locations, and in its input.

    A relative name of the input counts where nothing else is named: it need not begin at the agent's folder.
    """
    given = object_at(told, "rawInput")
    changed = [text_at(one, "path") for one in objects_at(told, "content") if text_at(one, "type") == "diff"]
    named = [path for path in (*changed, *(text_at(one, "path") for one in objects_at(told, "locations"))) if path]
    given_names = [path for name in _PATHS if (path := text_at(given, name))]
    found = [*named, *(path for path in given_names if posixpath.isabs(path))]
    each: dict[str, str] = {}
    for path in found or [path for path in given_names if _JOINED not in path]:
        each.setdefault(_resolved(folder, path), path)
    return tuple(each.values())


def _resolved(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _any(title: str, given: Object) -> dict[str, Any]:
    return {"title": title, **given} if title else dict(given)
