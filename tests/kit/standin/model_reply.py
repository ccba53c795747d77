"""The model's side of a turn: one request, one answer, block by block."""

from __future__ import annotations

from typing import Any

from tests.kit.directives import Block, Reply
from tests.kit.standin import ids, script
from tests.kit.standin.events import message_usage
from tests.kit.standin.turn_state import TurnState
from tests.kit.standin.usage import input_tokens, usage

PIECES = 10
"""In which a slow answer comes."""
TIMES = {"ttft_ms": 1, "thinking_display": "updates"}
"""What the first event of a message tells beside it."""
THOUGHT = {"thinking_duration_ms": 1, "thinking_display": "updates"}
"""The same about a block of thoughts."""


class ModelReply:
    """Asks the model and shows what it says."""

    def __init__(self, turn: TurnState) -> None:
        self._turn = turn

    def ask(self) -> Reply:
        conversation = self._turn.world.conversation
        texts = conversation.texts()
        if not self._turn.world.logged_in():
            return Reply(error=401)
        if not (spoken := conversation.open_results()):
            script.misbehave(texts[-1], self._turn.front.write)
        return script.reply(texts, spoken)

    def stream(self, answer: Reply) -> list[Block]:
        """Say the answer, block by block; return the blocks with the ids of tool calls."""
        turn = self._turn
        message_id = "msg_standin_" + ids.uuid4()[:8]
        turn.pause(answer.delay)
        if turn.world.options.partial:
            turn.replay()
        turn.begun.append(message_id)
        self._piece(message_id, "message_start", message=self._begun(message_id))
        blocks = []
        uuids = []
        for number, block in enumerate(answer.blocks):
            named = {"id": f"toolu_standin_{message_id[-8:]}_{number}"} if block["type"] == "tool_use" else {}
            blocks.append({"type": block["type"]} | named | {k: v for k, v in block.items() if k != "type"})
            uuids.append(self._say(message_id, number, blocks[-1], answer.spread))
        written = sum(len(str(block)) for block in blocks)
        about = {
            "id": message_id, "model": turn.world.model, "stop_reason": answer.stop,
            "usage": usage(input_tokens(turn.sent()), written // 4 + 1),
        }  # fmt: skip
        for block, uuid in zip(blocks, uuids, strict=True):
            turn.store("assistant", [block], about=about, uuid=uuid)
        turn.world.meter.request(turn.sent(), written)
        ended = {"stop_reason": answer.stop, "stop_sequence": None}
        self._piece(message_id, "message_delta", delta=ended, usage={"output_tokens": written // 4 + 1})
        self._piece(message_id, "message_stop")
        return blocks

    def _say(self, message_id: str, index: int, block: Block, spread: float) -> str:
        """Say a block; return the name of its line."""
        turn = self._turn
        turn.partial = ""
        self._piece(message_id, "content_block_start", index=index, content_block=_empty(block))
        if block["type"] == "text":
            self._speak(message_id, index, block["text"], spread)
        if block["type"] == "thinking":
            turn.emit(turn.world.events.system("thinking_tokens", estimated_tokens=5, estimated_tokens_delta=5))
        turn.replay()
        more = THOUGHT if block["type"] == "thinking" else {}
        event = turn.world.events.assistant(message_id, block, input_tokens(turn.sent()), **turn.first(), **more)
        turn.emit(event)
        self._piece(message_id, "content_block_stop", index=index)
        return str(event["uuid"])

    def _speak(self, message_id: str, index: int, words: str, spread: float) -> None:
        pieces = _pieces(words, spread)
        for piece in pieces:
            self._turn.partial += piece
            delta = {"type": "text_delta", "text": piece}
            self._piece(message_id, "content_block_delta", index=index, delta=delta)
            self._turn.pause(spread / len(pieces), message_id)
        self._turn.said = words

    def _piece(self, message_id: str, kind: str, **fields: Any) -> None:
        """Show an event of the API's stream, where that was asked for."""
        turn = self._turn
        if turn.world.options.partial:
            times = TIMES if kind == "message_start" else {}
            turn.emit(turn.world.events.stream(message_id, {"type": kind, **fields}, **times))

    def _begun(self, message_id: str) -> Block:
        """Return the message before anything is said."""
        usage = message_usage(input_tokens(self._turn.sent()))
        return {
            "id": message_id, "type": "message", "role": "assistant", "model": self._turn.world.model, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip


def _pieces(words: str, spread: float) -> list[str]:
    if not spread:
        return [words]
    step = max(1, -(-len(words) // PIECES))
    return [words[at : at + step] for at in range(0, len(words), step)]


def _empty(block: Block) -> Block:
    """Return the block before anything is in it."""
    return {name: value if name in {"type", "id", "name"} else type(value)() for name, value in block.items()}
