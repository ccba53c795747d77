"""Items of a codex thread, and its questions about them, in the words of the Agent Client Protocol. Pure.

A change of files stands in the item that is told before the question, and so do the arguments of a server's tool.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from overmind_core.providers.lines import Object, number_at, object_at, objects_at, text_at
from overmind_core.providers.rpc.tools import MCP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

ASKS_TO_RUN, ASKS_TO_CHANGE = "item/commandExecution/requestApproval", "item/fileChange/requestApproval"
ASKS_FOR_SERVER = "mcpServer/elicitation/request"
_MORE = ("networkApprovalContext", "additionalPermissions")
"""Fields with which a question is about more than a command."""
_UNTOLD = frozenset({"webSearch", "imageView"})
"""Items that say nothing of how they stand."""
_STATES = {"inProgress": "in_progress", "declined": "failed"}
_SHELL = re.compile(
    r"(?:/usr(?:/local)?)?/bin/(?:sh|bash|zsh) -l?c |/(?:opt/homebrew|run/current-system/sw)/bin/(?:bash|zsh) -l?c "
)
"""Shells that a command is given to; any other one is a part of what is asked."""
_PIECE = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)""", re.DOTALL)
"""Pieces of one quoted word."""
_HUNK = re.compile(r"^@@.*\n", re.MULTILINE)


def is_approval(params: Object) -> bool:
    """Return whether a question of a server is codex's own: may it use that server's tool?"""
    return text_at(object_at(params, "_meta"), "codex_approval_kind") == "mcp_tool_call"


def approved_call(params: Object, running: Mapping[str, Object], asked: Collection[str]) -> Object | None:
    """Return the call that such a question is about: one that runs, and was not `asked` about.

    None: there is none, and so the server itself asks, which may write what it likes into its question.
    """
    meta = object_at(params, "_meta")
    told = {"server": text_at(params, "serverName"), "tool": text_at(meta, "tool_name")}
    found = [one for name, one in running.items() if name not in asked and one.get("kind") == MCP]
    same = [one for one in found if {field: one.get(field) for field in told} == told]
    return next((one for one in same if object_at(one, "rawInput") == object_at(meta, "tool_params")), None)


def _tool_of_server(item: Object) -> dict[str, Any]:
    named = {"server": text_at(item, "server"), "tool": text_at(item, "tool")}
    return {"kind": MCP, **named, "rawInput": object_at(item, "arguments")}


def asked_call(method: str, params: Object, folder: str) -> dict[str, Any]:
    """A question as the call that it is about, with all that it would allow beside that."""
    call: dict[str, Any] = {"toolCallId": text_at(params, "itemId")}
    reason = text_at(params, "reason")
    if method == ASKS_TO_CHANGE:
        root = text_at(params, "grantRoot")
        return (
            {**call, "kind": "other", "title": f"write anywhere below {root}", "rawInput": {"reason": reason}}
            if root
            else call
        )
    given = _command(params, folder) | ({"reason": reason} if reason else {})
    more = {name: params[name] for name in _MORE if params.get(name)}
    if more or text_at(params, "kind") not in {"", "command"}:
        return {
            **call,
            "kind": "other",
            "title": reason or "more than its sandbox allows",
            "rawInput": {**given, **more},
        }
    return {**call, "kind": "execute", "rawInput": given} if given else call


def call_of(item: Object, folder: str, *, is_over: bool) -> dict[str, Any]:
    """A use of a tool, in the words of the Agent Client Protocol; {} for items that are none."""
    kind, status = text_at(item, "type"), text_at(item, "status")
    if kind in _UNTOLD:  # all that they are about comes with their end
        status = "completed" if is_over else "pending"
    if not status:
        return {}
    call: dict[str, Any] = {"toolCallId": text_at(item, "id"), "status": _STATES.get(status, status)}
    return {**call, **_about(kind, item, folder)}


def _about(kind: str, item: Object, folder: str) -> dict[str, Any]:
    """The deed of a tool, in the same words."""
    about: dict[str, Any]
    match kind:
        case "commandExecution":
            output = {"output": text_at(item, "aggregatedOutput"), "metadata": {"exit": number_at(item, "exitCode")}}
            about = {"kind": "execute", "rawInput": _command(item, folder), "rawOutput": output}
        case "fileChange":
            changes = objects_at(item, "changes")
            paths = [path for one in changes for path in _paths(one)]
            content = [hunk for one in changes for hunk in _hunks(one)]
            title = f"change {len(paths)} files"
            about = {"kind": "edit", "title": title, "content": content, "locations": [{"path": one} for one in paths]}
        case "imageView":
            about = {"kind": "read", "locations": [{"path": text_at(item, "path")}]}
        case "webSearch":
            query = text_at(item, "query")
            about = {"kind": "other", "title": f"web search: {query}", "rawInput": {"query": query}}
        case "mcpToolCall":
            error = {"error": text_at(object_at(item, "error"), "message")}
            said = [{"content": one} for one in objects_at(object_at(item, "result"), "content")]
            about = {**_tool_of_server(item), "rawOutput": error, "content": said}
        case _:
            error = {"error": text_at(object_at(item, "error"), "message")}
            title = text_at(item, "tool") or kind
            about = {"kind": "other", "title": title, "rawInput": item.get("arguments"), "rawOutput": error}
    return about


def _command(told: Object, folder: str) -> dict[str, Any]:
    """The command, without the shell that it is given to, and where it runs where that is elsewhere than `folder`."""
    command = text_at(told, "command")
    if shell := _SHELL.match(command):
        command = _unquoted(command[shell.end() :]) or command
    elsewhere = {"cwd": cwd} if (cwd := text_at(told, "cwd")) and cwd != folder else {}
    return {"command": command, **elsewhere} if command else {}


def _unquoted(word: str) -> str:
    """One word of a shell without its quotes; "": it is more than one, or broken."""
    pieces, at = [], 0
    while piece := _PIECE.match(word, at):
        single, double, escaped, plain = piece.groups()
        pieces.append(
            re.sub(r"\\([\\\"$`])", r"\1", double) if double is not None else single or escaped or plain or ""
        )
        at = piece.end()
    return "".join(pieces) if at == len(word) else ""


def _paths(change: Object) -> Iterator[str]:
    moved = text_at(object_at(change, "kind"), "move_path")
    yield from (path for path in (text_at(change, "path"), moved) if path)


def _hunks(change: Object) -> Iterator[Object]:
    """The lines that a change takes away and puts there, hunk by hunk; of a whole file its text."""
    path, diff = text_at(change, "path"), text_at(change, "diff")
    kind = text_at(object_at(change, "kind"), "type")
    if kind != "update":
        old, new = (diff, "") if kind == "delete" else ("", diff)
        yield {"type": "diff", "path": path, "oldText": old, "newText": new}
        return
    for hunk in _HUNK.split(diff)[1:] or [diff]:
        lines = [f"{one}\n" for one in hunk.split("\n")] if hunk else []
        lines[-1:] = [lines[-1][:-1]] if lines else []
        old = "".join(line[1:] for line in lines if line[:1] in {" ", "-"})
        new = "".join(line[1:] for line in lines if line[:1] in {" ", "+"})
        yield {"type": "diff", "path": path, "oldText": old, "newText": new}
