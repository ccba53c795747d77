"""A reply as the Messages API sends it: one message, or the events of a stream. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kit.directives import Block, Reply

PIECES = 10
"""In which a slow text comes."""

Event = Mapping[str, Any]


def tokens(value: Any) -> int:
    """Return a plausible number of tokens."""
    return max(1, len(json.dumps(value)) // 4)


def message(number: int, body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Return the whole message; `number` makes its ids."""
    blocks = [_named(dict(block), number, index) for index, block in enumerate(reply.blocks)]
    usage = {
        "input_tokens": tokens(body), "output_tokens": sum(len(json.dumps(block)) for block in blocks) // 4 + 1,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
    }  # fmt: skip
    return {
        "id": f"msg_stub_{number:06d}", "type": "message", "role": "assistant", "model": body.get("model", "stub"),
        "content": blocks, "stop_reason": reply.stop, "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def events(whole: Mapping[str, Any], spread: float) -> Iterator[tuple[float, Event]]:
    """Yield the events of a message, each with the seconds to wait after it.

    Args:
        whole: The message.
        spread: Seconds over which its text comes.
    """
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield 0, {"type": "message_start", "message": begun}
    for index, block in enumerate(whole["content"]):
        empty, deltas = _cut(block, spread)
        yield 0, {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            pause = spread / len(deltas) if block["type"] == "text" else 0
            yield pause, {"type": "content_block_delta", "index": index, "delta": delta}
        yield 0, {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": whole["usage"]["output_tokens"]}
    yield 0, {"type": "message_delta", "delta": ended, "usage": usage}
    yield 0, {"type": "message_stop"}


def _named(block: Block, number: int, index: int) -> Block:
    if block["type"] != "tool_use":
        return block
    return {"type": "tool_use", "id": f"toolu_stub_{number:06d}_{index}", **_without_type(block)}


def _without_type(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "type"}


def _cut(block: Block, spread: float) -> tuple[Block, list[Block]]:
    """Return the block as it begins, and what is added to it."""
    if block["type"] == "text":
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in _pieces(block, spread)]
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        signature = {"type": "signature_delta", "signature": block["signature"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [thought, signature]
    arguments = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return {**block, "input": {}}, [arguments]


def _pieces(block: Block, spread: float) -> list[str]:
    text = block["text"]
    step = max(1, -(-len(text) // PIECES)) if spread else max(1, len(text))
    return [text[start : start + step] for start in range(0, len(text), step)]
