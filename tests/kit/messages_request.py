"""What a request to the Messages API says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kit.directives import ToolResult

REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)
"""What the program adds to the person's texts."""

Body = Mapping[str, Any]


def user_texts(body: Body) -> list[str]:
    """Return every text of the person, oldest first."""
    return [text for message in _messages(body) if message["role"] == "user" for text in _texts(message)]


def last_text(body: Body) -> str:
    """Return the person's last text since the model spoke; "" = there is none."""
    texts = [text for message in _tail(body) for text in _texts(message)]
    return texts[-1] if texts else ""


def tool_results(body: Body) -> list[ToolResult]:
    """Return what tools said since the model spoke.

    None, where the person said something after them: an interrupted tool and the next prompt come together.
    """
    results: list[ToolResult] = []
    for message in _tail(body):
        for block in _blocks(message):
            if block["type"] == "tool_result":
                results.append(ToolResult(_content(block), bool(block.get("is_error"))))
            elif _cleaned(block):
                results.clear()
    return results


def _messages(body: Body) -> list[Mapping[str, Any]]:
    return list(body.get("messages", ()))


def _tail(body: Body) -> list[Mapping[str, Any]]:
    """Return the person's messages since the model spoke."""
    messages = _messages(body)
    spoken = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
    return [message for message in messages[spoken[-1] + 1 if spoken else 0 :] if message["role"] == "user"]


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    for block in _blocks(message):
        if text := _cleaned(block):
            yield text


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content", "")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _cleaned(block: Mapping[str, Any]) -> str:
    return REMINDER.sub("", block["text"]).strip() if block["type"] == "text" else ""


def _content(block: Mapping[str, Any]) -> str:
    content = block.get("content", "")
    if not isinstance(content, str):
        content = "".join(part["text"] for part in content if part["type"] == "text")
    return REMINDER.sub("", content).strip()
