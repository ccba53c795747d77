"""The hook events of a `claude` on a terminal, and what they mean.

They report activity, a message's delivery and the conversation's id, never permissions: any tool of the agent could
forge them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    Decision,
    Echoed,
    ProgramLeft,
    SessionNamed,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.claude import messages, stream
from overmind_core.providers.lines import Object, count_at, list_at, object_at, text_at

_PASTED = re.compile(
    r'\s*<pasted_content id="(?P<id>[^"]*)">\n(?P<text>.*)\n</pasted_content id="(?P=id)">\s*', re.DOTALL
)
IDLE = "idle_prompt"
"""The notification that comes a minute after a turn's end, also after one that a person interrupted."""


def read_event(payload: Mapping[str, Any]) -> Sequence[AgentFact]:
    """What one event means; an unknown one means nothing."""
    convert = EVENTS.get(text_at(payload, "hook_event_name"))
    return tuple(convert(payload)) if convert is not None else ()


def decision(question: Asked, decided: Decision) -> dict[str, Any]:
    """What our hook prints to answer the question that the program shows meanwhile: its dialog closes."""
    output = {"hookEventName": "PermissionRequest", "decision": messages.decision_json(question, decided)}
    return {"hookSpecificOutput": output}


def request_of(payload: Object) -> str:
    """A name for a question of this turn, for the program gives it none: the tool's return has the same.

    The input of a question or a plan comes back with the answer in it, and only one of them is asked at a time.
    """
    tool = text_at(payload, "tool_name")
    subject = None if tool in stream.DIALOGS else payload.get("tool_input")
    turn = text_at(payload, "prompt_id") or text_at(payload, "session_id")
    content = json.dumps([turn, tool, subject], sort_keys=True, default=str)
    return sha256(content.encode()).hexdigest()[:16]


def _session_start(payload: Object) -> Iterator[AgentFact]:
    if session := text_at(payload, "session_id"):
        yield SessionNamed(session, text_at(payload, "model") or None)


def _prompt(payload: Object) -> Iterator[AgentFact]:
    """What was typed; the program puts a long paste between tags."""
    prompt = text_at(payload, "prompt")
    pasted = _PASTED.fullmatch(prompt)
    yield Echoed(prompt if pasted is None else pasted["text"])


def _before_tool(payload: Object) -> Iterator[AgentFact]:
    call, tool = text_at(payload, "tool_use_id"), text_at(payload, "tool_name")
    yield stream.tool_called(call, tool, object_at(payload, "tool_input"))


def _after_tool(payload: Object) -> Iterator[AgentFact]:
    """A tool that has run needs no answer any more."""
    yield AskCancelled(request_of(payload))
    failed = text_at(payload, "hook_event_name") != "PostToolUse"
    answer = payload.get("error") if failed else payload.get("tool_response")
    if isinstance(answer, dict):  # the same answer takes another time
        answer = {name: value for name, value in answer.items() if "duration" not in name.lower()}
    stopped = failed and payload.get("is_interrupt") is True
    yield stream.tool_returned(text_at(payload, "tool_use_id"), answer, failed=failed, denied=stopped)


def _permission(payload: Object) -> Iterator[AgentFact]:
    """A question; that of a sub-agent gets its dialog only once our hook has ended without an answer."""
    suggestions = tuple(list_at(payload, "permission_suggestions"))
    asked = stream.question_of(
        request_of(payload), text_at(payload, "tool_name"), object_at(payload, "tool_input"), suggestions
    )
    yield asked._replace(hidden=bool(text_at(payload, "agent_id")))


def _notification(payload: Object) -> Iterator[AgentFact]:
    if text_at(payload, "notification_type") == IDLE:
        yield TurnEnded(None)


def _stop(payload: Object) -> Iterator[AgentFact]:
    yield TurnEnded(TurnResult(ok=True, text=text_at(payload, "last_assistant_message"), raw=payload))


def _stop_failure(payload: Object) -> Iterator[AgentFact]:
    message = text_at(payload, "last_assistant_message") or text_at(payload, "error")
    reason = (
        stream.api_reason(message, count_at(payload, "api_error_status")) or text_at(payload, "error") or "api_error"
    )
    retry = stream.retry_of(reason, None)
    yield TurnEnded(TurnResult(ok=False, reason=reason, text=message, retry=retry, raw=payload))


def _session_end(payload: Object) -> Iterator[AgentFact]:
    yield ProgramLeft(text_at(payload, "reason"))


EVENTS: Mapping[str, Callable[[Object], Iterator[AgentFact]]] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _before_tool,
    "PostToolUse": _after_tool,
    "PostToolUseFailure": _after_tool,
    "PermissionRequest": _permission,
    "Notification": _notification,
    "Stop": _stop,
    "StopFailure": _stop_failure,
    "SessionEnd": _session_end,
}
"""By the event's name."""
