"""The last line of a turn: how it ended, what it cost. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.kit.standin import ids
from tests.kit.standin.usage import usage

if TYPE_CHECKING:
    from tests.kit.standin.conversation import Unknown

SUBAGENTS = {
    "spawned": 0, "requested": {"background": 0, "foreground": 0, "unset": 0}, "started_in_background": 0,
    "max_depth": 0, "spawned_by_subagents": 0, "completed": 0, "failed": 0,
    "killed": {"parent": 0, "user": 0, "system": 0},
    "refused": {"depth_limit": 0, "concurrency_limit": 0, "budget": 0}, "by_type": {},
}  # fmt: skip

Event = dict[str, Any]


class Ending(NamedTuple):
    """How a turn ended."""

    terminal_reason: str
    subtype: str = "success"
    is_error: bool = False
    stop_reason: str | None = "end_turn"
    text: str | None = None
    """The answer; None where the line has none."""
    errors: tuple[str, ...] = ()
    api_error: Mapping[str, Any] | None = None
    """What the API's failure adds; None = no such failure."""
    streamed: bool = False
    """Whether times of the stream are told."""


class Figures(NamedTuple):
    """What the turn took."""

    usage: Mapping[str, Any]
    model_usage: Mapping[str, Any]
    since_result: Mapping[str, Any]
    dollars: float
    milliseconds: int
    turns: int
    denials: Sequence[Mapping[str, Any]]
    number: int
    begun: Sequence[str] | None
    """Messages of the model that have begun; None where pieces of them are not told."""


def result(session_id: str, ending: Ending, figures: Figures, answered: Mapping[str, Any]) -> Event:
    """Return the result line; `answered`: what names the messages, if they have names."""
    event: Event = {
        "duration_api_ms": figures.milliseconds, "stop_reason": ending.stop_reason, "session_id": session_id,
        "total_cost_usd": figures.dollars, "usage": dict(figures.usage), "modelUsage": dict(figures.model_usage),
        "permission_denials": list(figures.denials), "terminal_reason": ending.terminal_reason,
        "fast_mode_state": "off", "fast_mode_disabled_reason": "sdk_opt_in_required", "subagent_stats": SUBAGENTS,
        "safety_stops": 0, "is_error": ending.is_error, "num_turns": figures.turns, "subtype": ending.subtype,
    }  # fmt: skip
    event |= _outcome(ending)
    event |= {"type": "result", "duration_ms": figures.milliseconds, "uuid": ids.uuid4()}
    if figures.begun is not None:
        event |= {"begun_message_ids": list(figures.begun)}
    if ending.streamed:
        event |= {"ttft_stream_ms": 1, "time_to_request_ms": 1, "first_content_frame_ms": 1}
    event |= answered
    if answered and ending.streamed:
        sent = {"request_sent_wall_ms": int(time.time() * 1000), "first_request_cache_read_input_tokens": 0}
        event |= {**sent, "first_request_input_tokens": figures.usage["input_tokens"]}
    return event | {
        "queued_turn_count": 0, "result_index": figures.number,
        "model_usage_since_last_result": dict(figures.since_result),
    }  # fmt: skip


def _outcome(ending: Ending) -> Event:
    if ending.errors:
        return {"errors": list(ending.errors)}
    said = {"api_error_status": None} | dict(ending.api_error or {}) | {"result": ending.text}
    return said | ({"ttft_ms": 1} if ending.streamed else {})


def too_much(sentence: str, reason: str, what: str) -> Ending:
    """A turn that ends because a limit of the command line is reached."""
    return Ending(reason, f"error_max_{what}", is_error=True, stop_reason="tool_use", errors=(sentence,))


def no_conversation(unknown: Unknown) -> Event:
    """The only line of a process that was to resume what does not exist."""
    return {
        "type": "result", "subtype": "error_during_execution", "duration_ms": 0, "duration_api_ms": 0,
        "is_error": True, "num_turns": 0, "stop_reason": None, "session_id": unknown.session_id, "total_cost_usd": 0,
        "usage": usage(0, 0), "modelUsage": {}, "permission_denials": [], "uuid": ids.uuid4(),
        "errors": [unknown.sentence], "result_index": 0,
    }  # fmt: skip
