"""Conversations on disk: `$HOME/.claude/projects/<folder>/<id>.jsonl`, and the rules for their ids."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from tests.kit.directives import ToolResult
from tests.kit.standin.options import Refused

Entry = dict[str, Any]


class Unknown(Exception):
    """There is no conversation of this id, or no message in it."""

    def __init__(self, session_id: str, why: str = "No conversation found with session ID") -> None:
        self.sentence = f"{why}: {session_id}"
        super().__init__(self.sentence)
        self.session_id = session_id


class Conversation:
    """One conversation; nothing of it is on disk before its first prompt.

    Args:
        path: Its file.
        entries: What it holds already.
    """

    def __init__(self, path: str, entries: Sequence[Entry] = ()) -> None:
        self.path = path
        self.id = os.path.basename(path).removesuffix(".jsonl")
        self._entries = list(entries)

    @classmethod
    def new(cls, home: str, cwd: str, session_id: str) -> Conversation:
        """Begin a conversation.

        Raises:
            Refused: the id has one already.
        """
        if _find(home, session_id):
            raise Refused(f"Error: Session ID {session_id} is already in use.")
        return cls(os.path.join(_projects(home), folder(cwd), session_id + ".jsonl"))

    @classmethod
    def resume(cls, home: str, session_id: str) -> Conversation:
        """Read a conversation, wherever it was begun.

        Raises:
            Unknown: nothing is stored under this id.
        """
        path = _find(home, session_id)
        if not path:
            raise Unknown(session_id)
        with open(path, encoding="utf-8") as file:
            return cls(path, [json.loads(line) for line in file])

    @classmethod
    def newest(cls, home: str, cwd: str) -> str:
        """Return the id of the newest conversation that was begun in `cwd`; "" = none."""
        where = os.path.join(_projects(home), folder(cwd))
        paths = [os.path.join(where, name) for name in os.listdir(where)] if os.path.isdir(where) else []
        return os.path.basename(max(paths, key=os.path.getmtime)).removesuffix(".jsonl") if paths else ""

    def fork(self, home: str, cwd: str, session_id: str) -> Conversation:
        """Begin a conversation that has the history of this one."""
        copy = Conversation.new(home, cwd, session_id)
        for entry in self._entries:
            copy.append(entry)
        return copy

    def cut(self, uuid: str) -> None:
        """Forget what came behind a message of the model, here and not on disk.

        Raises:
            Unknown: there is no such message.
        """
        uuids = [entry.get("uuid") for entry in self._entries]
        if uuid not in uuids:
            raise Unknown(uuid, "No message found with message.uuid of")
        costs = [entry for entry in self._entries if entry["type"] == "cost-state"]
        self._entries = [*costs[-1:], *self._entries[: uuids.index(uuid) + 1]]

    def append(self, entry: Entry) -> None:
        """Add an entry; it is on disk when this returns."""
        self._entries.append(entry)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def take_back(self) -> None:
        """Remove the newest entry, as if it had not been said."""
        self._entries.pop()
        with open(self.path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in self._entries)

    def texts(self) -> list[str]:
        """Return every text of the person, oldest first."""
        return [block["text"] for block in self._user_blocks() if block["type"] == "text"]

    def messages(self) -> Iterator[tuple[str, str]]:
        """Yield role and text of what was said, for a screen."""
        for entry in self._entries:
            for block in entry.get("message", {}).get("content", ()):
                if block["type"] == "text":
                    yield entry["type"], block["text"]

    def open_results(self) -> list[ToolResult]:
        """Return what tools said since the model's last message."""
        found: list[ToolResult] = []
        for entry in reversed(self._entries):
            if entry["type"] != "user" or any(block["type"] == "text" for block in entry["message"]["content"]):
                break
            found[:0] = [ToolResult(block["content"], block["is_error"]) for block in entry["message"]["content"]]
        return found

    def has(self, uuid: str) -> bool:
        """Whether the message of this uuid has got an answer, or a part of one."""
        uuids = [uuid in entry.get("uuids", ()) for entry in self._entries]
        return True in uuids and any(entry["type"] == "assistant" for entry in self._entries[uuids.index(True) + 1 :])

    def cost(self) -> Entry:
        """Return the sums that were saved when a process left: model → usage."""
        saved = [entry["modelUsage"] for entry in self._entries if entry["type"] == "cost-state"]
        return dict(saved[-1]) if saved else {}

    def save_cost(self, model_usage: Entry) -> None:
        """Keep the sums for whoever resumes; a killed process does not come to this."""
        if self._entries:
            total = sum(figures["costUSD"] for figures in model_usage.values())
            self.append({"type": "cost-state", "sessionId": self.id, "totalCostUSD": total, "modelUsage": model_usage})

    def _user_blocks(self) -> Iterator[dict[str, Any]]:
        for entry in self._entries:
            if entry["type"] == "user":
                yield from entry["message"]["content"]


def folder(cwd: str) -> str:
    """Return the name of a working folder's project: everything but letters and digits is a dash."""
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in cwd)


def _projects(home: str) -> str:
    return os.path.join(home, ".claude", "projects")


def _find(home: str, session_id: str) -> str:
    root = _projects(home)
    projects = os.listdir(root) if os.path.isdir(root) else []
    paths = [os.path.join(root, name, session_id + ".jsonl") for name in projects]
    return next((path for path in paths if os.path.exists(path)), "")
