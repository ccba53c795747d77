"""Conversations as agents' programs keep them in a person's home: where their files are, and what stands in them. Pure.

Source: claude 2.1.332, codex 0.171.0, qwen 0.24.4, copilot 1.0.102: a file of JSON lines for each conversation.
gemini 0.61.0 has such files, too, for each project; opencode 1.18.33 keeps all in one database.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.providers.lines import Object, object_at, objects_at, read_object, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_NOTES = re.compile(r"\A<notes>.*?</notes>\s*", re.DOTALL)


class Said(NamedTuple):
    """One thing that was said, by a person or by the agent."""

    by_person: bool
    text: str


class ConversationFile(NamedTuple):
    """What stands in the file of a conversation, as far as it was read."""

    session: str
    """Its id; "" where no line says it."""
    cwd: str
    """The folder in which it is led; "" where no line says it."""
    said: Sequence[Said]


class FileStore(NamedTuple):
    """A program that keeps each conversation in a file of its own."""

    root: Callable[[Mapping[str, str]], str | None]
    """Returns the folder, by the environment; None where that has no home."""
    pattern: str
    """The files in it, as glob has them."""
    place: Callable[[Object], tuple[str, str]]
    """Returns id and folder of the conversation that a line tells; "" for what it does not."""
    said: Callable[[Object], Iterable[Said]]
    """Returns what was said in a line."""
    hold: str = ""
    """The name, as glob has it, of a file beside it which the process that leads it keeps open."""
    record: str = ""
    """The ending of the file beside it, in place of its own, in which the process that leads it on a screen stands."""
    folder: str = ""
    """The path of a file, from its own folder, whose text is the folder in which it is led; "": its lines tell that."""


def read_conversation(store: FileStore, lines: Iterable[bytes]) -> ConversationFile:
    """Return what lines of a conversation's file say; those that nobody can read say nothing."""
    session, cwd = "", ""
    said: list[Said] = []
    for line in lines:
        found = read_object(line)
        if isinstance(found, str):
            continue
        if not (session and cwd):
            place = store.place(found)
            session, cwd = session or place[0], cwd or place[1]
        told = (one._replace(text=without_notes(one.text)) for one in store.said(found))
        said += (one for one in told if one.text.strip())
    return ConversationFile(session, cwd, said)


def without_notes(text: str) -> str:
    """Return a message without the notes that we have put before it."""
    return _NOTES.sub("", text)


def leader_in_record(record: bytes, session: str, hostname: str) -> int | None:
    """Return the pid of the process that leads a conversation on this machine, as the record beside it says."""
    found = read_object(record)
    if isinstance(found, str) or text_at(found, "session_id") != session:
        return None
    pid = found.get("pid")
    is_here = text_at(found, "hostname") in {"", hostname}
    return pid if is_here and isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None


def _home(environ: Mapping[str, str], folder: str) -> str | None:
    home = environ.get("HOME")
    return f"{home}/{folder}" if home else None


def _texts(parts: Iterable[Object]) -> str:
    return "\n".join(text for part in parts if (text := text_at(part, "text")))


def _line_place(found: Object) -> tuple[str, str]:
    return text_at(found, "sessionId"), text_at(found, "cwd")


def _claude_root(environ: Mapping[str, str]) -> str | None:
    chosen = environ.get("CLAUDE_CONFIG_DIR")
    return f"{chosen}/projects" if chosen else _home(environ, ".claude/projects")


def _claude_said(found: Object) -> Iterable[Said]:
    kind = text_at(found, "type")
    if kind not in {"user", "assistant"} or found.get("isMeta") or found.get("isSidechain"):
        return
    message = object_at(found, "message")
    text = text_at(message, "content") or _texts(objects_at(message, "content"))
    if text.strip() and not text.startswith(("<command-", "<local-command-")):
        yield Said(kind == "user", text)


def _codex_root(environ: Mapping[str, str]) -> str | None:
    chosen = environ.get("CODEX_HOME")
    return f"{chosen}/sessions" if chosen else _home(environ, ".codex/sessions")


def _codex_place(found: Object) -> tuple[str, str]:
    facts = object_at(found, "payload")
    return (text_at(facts, "id"), text_at(facts, "cwd")) if text_at(found, "type") == "session_meta" else ("", "")


def _codex_said(found: Object) -> Iterable[Said]:
    facts = object_at(found, "payload")
    role = text_at(facts, "role")
    if text_at(found, "type") != "response_item" or role not in {"user", "assistant"}:
        return
    text = _texts(objects_at(facts, "content"))
    if text.strip() and not text.startswith(("<environment_context>", "<user_instructions>", "# AGENTS.md")):
        yield Said(role == "user", text)


def _qwen_said(found: Object) -> Iterable[Said]:
    kind = text_at(found, "type")
    parts = objects_at(object_at(found, "message"), "parts")
    text = _texts(part for part in parts if not part.get("thought"))
    if kind in {"user", "assistant"} and text.strip():
        yield Said(kind == "user", text)


def _copilot_place(found: Object) -> tuple[str, str]:
    facts = object_at(found, "data")
    is_start = text_at(found, "type") == "session.start"
    return (text_at(facts, "sessionId"), text_at(object_at(facts, "context"), "cwd")) if is_start else ("", "")


def _copilot_said(found: Object) -> Iterable[Said]:
    kind, text = text_at(found, "type"), text_at(object_at(found, "data"), "content")
    if kind in {"user.message", "assistant.message"} and text.strip():
        yield Said(kind == "user.message", text)


def _gemini_root(environ: Mapping[str, str]) -> str | None:
    chosen = environ.get("GEMINI_CLI_HOME")
    return f"{chosen}/.gemini/tmp" if chosen else _home(environ, ".gemini/tmp")


def _gemini_said(found: Object) -> Iterable[Said]:
    kind = text_at(found, "type")
    text = text_at(found, "content") or _texts(objects_at(found, "content"))
    if kind in {"user", "gemini"} and text.strip() and not text.startswith("<session_context>"):
        yield Said(kind == "user", text)


FILE_STORES: Mapping[str, FileStore] = {
    "claude": FileStore(_claude_root, "*/*.jsonl", _line_place, _claude_said),
    "codex": FileStore(_codex_root, "*/*/*/rollout-*.jsonl", _codex_place, _codex_said),
    "qwen": FileStore(
        lambda environ: _home(environ, ".qwen/projects"), "*/chats/*.jsonl", _line_place, _qwen_said,
        record=".runtime.json",
    ),
    "copilot": FileStore(
        lambda environ: _home(environ, ".copilot/session-state"), "*/events.jsonl", _copilot_place, _copilot_said,
        hold="inuse.*.hold",
    ),
    "gemini": FileStore(_gemini_root, "*/chats/session-*.jsonl", _line_place, _gemini_said, folder="../.project_root"),
}  # fmt: skip
"""The provider's name → where its program keeps conversations."""
DATABASE_PROVIDER = "opencode"


def database_path(environ: Mapping[str, str]) -> str | None:
    """Return the file in which opencode keeps all conversations; None where the environment has no home."""
    chosen = environ.get("XDG_DATA_HOME")
    return f"{chosen}/opencode/opencode.db" if chosen else _home(environ, ".local/share/opencode/opencode.db")


CONVERSATIONS_QUERY = """
SELECT id, directory, title, time_updated, cost FROM session
WHERE parent_id IS NULL AND time_archived IS NULL ORDER BY time_updated DESC LIMIT ?
"""
"""Rows of that database: id, folder, title, moment of the last change in milliseconds since the epoch, US dollars."""
SAID_QUERY = """
SELECT json_extract(message.data, '$.role'), json_extract(part.data, '$.text') FROM part
JOIN message ON message.id = part.message_id
WHERE part.session_id = ? AND json_extract(part.data, '$.type') = 'text'
ORDER BY part.time_created DESC, part.id DESC LIMIT ?
"""
"""What was said in a conversation of that database, newest first: role and text."""
