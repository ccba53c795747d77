"""The scripted agent in lines of JSON: messages, answers and interrupts come in, what it does goes out.

The lines are those of Claude Code's `stream-json`, as the provider `claude` reads and writes them.
"""

from __future__ import annotations

import json
import os
import select
import time
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.demo.stage import QUESTION, QuestionReply, TurnInterrupted

Event = Mapping[str, Any]
MODEL = "a script"
_CHUNK = 65536


class UserMessage(NamedTuple):
    """What a person wrote."""

    text: str
    uuid: str


class InputEnded(Exception):
    """Nothing will come any more."""


class StreamStage:
    """A stage whose audience reads lines.

    Args:
        session: The conversation's id.
        source: The file descriptor to read.
        sink: The one to write.
    """

    def __init__(self, session: str, *, source: int = 0, sink: int = 1) -> None:
        self._session = session
        self._source, self._sink = source, sink
        self._rest = b""
        self._messages: deque[UserMessage] = deque()
        self._answers: dict[str, Event] = {}
        self._in_turn = False
        self._interrupted = False
        self._open = ""
        """The question that waits."""
        self.said = ""
        """The newest text."""
        self.spent = 0.0
        """US dollars, of all turns."""

    # turns

    def message(self) -> UserMessage | None:
        """The next message, once there is one; None at the end of the input."""
        try:
            while not self._messages:
                self._take(None)
        except InputEnded:
            return None
        return self._messages.popleft()

    def begin(self, message: UserMessage, folder: str) -> None:
        """A turn begins: show that we have the message."""
        self._in_turn, self._interrupted = True, False
        self._emit(
            {"type": "system", "subtype": "init", "cwd": folder, "model": MODEL, "tools": [], "mcp_servers": [],
             "permissionMode": "default"}
        )  # fmt: skip
        content = [{"type": "text", "text": message.text}]
        replay = {"type": "user", "message": {"role": "user", "content": content}, "isReplay": True}
        self._emit(replay | ({"uuid": message.uuid} if message.uuid else {}))

    def end(self, said: str, seconds: float, *, interrupted: bool = False, status: int = 0) -> None:
        """The turn is over; with the HTTP `status` of the model's server where that has not answered."""
        self._in_turn = False
        how: dict[str, Any] = {"subtype": "success", "is_error": False, "result": said, "terminal_reason": "completed"}
        if interrupted:
            how = {"subtype": "error_during_execution", "is_error": True, "terminal_reason": "aborted_streaming",
                   "errors": ["interrupted"]}  # fmt: skip
        elif status:
            how |= {"is_error": True, "terminal_reason": "api_error", "api_error_status": status}
        usage = {"input_tokens": 0, "output_tokens": 0}
        figures = {
            "num_turns": 1,
            "duration_ms": round(seconds * 1000),
            "total_cost_usd": round(self.spent, 6),
            "usage": usage,
        }
        self._emit({"type": "result", **how, **figures})

    # the stage

    def say(self, text: str) -> None:
        """A line of type `assistant`."""
        self.said = text
        self._text_of_result({"type": "text", "text": text})
        self.wait(0.3)

    def call(self, tool: str, subject: Mapping[str, Any]) -> str:
        """The same, with a block `tool_use`."""
        name = f"toolu_{uuid.uuid4().hex[:16]}"
        self._text_of_result({"type": "tool_use", "id": name, "name": tool, "input": dict(subject)})
        return name

    def returned(self, call: str, text: str, *, failed: bool = False) -> None:
        """A line of type `user`."""
        block = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": failed}
        self._emit({"type": "user", "message": {"role": "user", "content": [block]}})

    def ask(self, call: str, tool: str, subject: Mapping[str, Any]) -> QuestionReply:
        """A control request, and its response."""
        self._open = str(uuid.uuid4())
        request = {"subtype": "can_use_tool", "tool_name": tool, "input": dict(subject), "tool_use_id": call}
        self._emit({"type": "control_request", "request_id": self._open, "request": request})
        while self._open not in self._answers:
            self._take(None)
            self._stop_if_wanted()
        asked, self._open = self._open, ""
        return reply(tool, self._answers.pop(asked))

    def wait(self, seconds: float) -> None:
        """Meanwhile what comes is taken in."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._take(left)
            self._stop_if_wanted()

    def _stop_if_wanted(self) -> None:
        if not self._interrupted:
            return
        if self._open:
            self._emit({"type": "control_cancel_request", "request_id": self._open})
            self._open = ""
        raise TurnInterrupted

    # lines

    def _text_of_result(self, block: Mapping[str, Any]) -> None:
        message = {"id": f"msg_{uuid.uuid4().hex[:16]}", "role": "assistant", "model": MODEL, "content": [block]}
        self._emit({"type": "assistant", "message": message})

    def _emit(self, event: Event) -> None:
        line = json.dumps({**event, "session_id": self._session}, ensure_ascii=False).encode() + b"\n"
        while line:
            line = line[os.write(self._sink, line) :]

    def _take(self, seconds: float | None) -> None:
        """Take in what comes within so many seconds; None waits until something does.

        Raises:
            InputEnded: nothing will.
        """
        if not select.select([self._source], [], [], seconds)[0]:
            return
        data = os.read(self._source, _CHUNK)
        if not data:
            raise InputEnded
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            if line.strip():
                self._took(json.loads(line))

    def _took(self, event: Event) -> None:
        kind = event.get("type")
        if kind == "user":
            self._messages.append(UserMessage(text_of(event["message"]["content"]), str(event.get("uuid") or "")))
        elif kind == "control_response":
            response = event["response"]
            self._answers[str(response["request_id"])] = response.get("response") or {}
        elif kind == "control_request":
            self._control(str(event["request_id"]), event["request"])

    def _control(self, request: str, asked: Event) -> None:
        """An interrupt is done; anything else changes nothing."""
        self._interrupted |= asked.get("subtype") == "interrupt" and self._in_turn
        response = {"subtype": "success", "request_id": request, "response": {}}
        self._emit({"type": "control_response", "response": response})


def text_of(content: str | list[Event]) -> str:
    """The text of a message: plain, or in blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content if block.get("type") == "text")


def reply(tool: str, response: Event) -> QuestionReply:
    """What an answer in the program's form means."""
    allowed = response.get("behavior") == "allow"
    answers = (response.get("updatedInput") or {}).get("answers") or {}
    chosen = str(next(iter(answers.values()), "")) if tool == QUESTION else ""
    return QuestionReply(allowed, str(response.get("message") or ""), chosen)
