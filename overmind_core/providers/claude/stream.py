"""What a line of `claude`'s output means. Unknown types and fields mean nothing; no line raises.

Lines of a type that is not in the table, such as the fragments of `--include-partial-messages`, are not even decoded
where their beginning tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from overmind_core.domain.agentfacts import (
    Acknowledged,
    AgentFact,
    AskCancelled,
    Echoed,
    Limited,
    Plain,
    Retrying,
    SessionNamed,
    Spoke,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
)
from overmind_core.providers.claude import results, tools
from overmind_core.providers.objects import Object, count, items, number, objects, one_line, part, read, text

FRAGMENT = b'{"type":"stream_event"'
"""How a piece of an answer begins; the whole answer comes as a line of its own."""

_MILLISECONDS = 1000.0


def parse(line: bytes) -> Sequence[AgentFact]:
    """What one line tells."""
    if line.startswith(FRAGMENT):
        return ()
    found = read(line)
    if isinstance(found, str):
        return (Plain(found),) if found.strip() else ()
    tell = KINDS.get(text(found, "type"))
    return tuple(tell(found)) if tell is not None else ()


def blocks(found: Object) -> list[Object]:
    """The content of a message: its blocks; a plain string is a block of text."""
    message = part(found, "message")
    plain = text(message, "content")
    return [{"type": "text", "text": plain}] if plain else objects(message, "content")


def _system(found: Object) -> Iterator[AgentFact]:
    subtype = text(found, "subtype")
    if subtype == "init":
        if session := text(found, "session_id"):
            yield SessionNamed(session, text(found, "model") or None)
        yield TurnBegan()
    elif subtype == "api_retry":
        delay = (number(found, "retry_delay_ms") or 0.0) / _MILLISECONDS
        status = count(found, "error_status")
        error = f"{text(found, 'error')} {status or ''}".strip()
        yield Retrying(count(found, "attempt"), count(found, "max_retries"), max(delay, 0.0), error)


def _assistant(found: Object) -> Iterator[AgentFact]:
    if "error" in found and not found.get("parent_tool_use_id"):
        yield from _limit(part(part(found, "api_error_params"), "rate_limit_info"))
        return  # the text is of the program's own, and the result has it, too
    for block in blocks(found):
        kind = text(block, "type")
        if kind == "text":
            yield Spoke(text(block, "text"))
        elif kind == "thinking":
            yield Spoke(text(block, "thinking"), thought=True)
        elif kind.endswith("tool_use"):  # also those that the API runs itself: server_tool_use, mcp_tool_use
            tool = text(block, "name")
            yield ToolCalled(text(block, "id"), tool, tools.summary(tool, part(block, "input")))


def _user(found: Object) -> Iterator[AgentFact]:
    """A message of ours that comes back (`isReplay`), or what tools returned."""
    if found.get("isReplay") is True:
        said = (text(block, "text") for block in blocks(found) if text(block, "type") == "text")
        yield Echoed("\n".join(said), text(found, "uuid") or None)
        return
    for block in blocks(found):
        if text(block, "type").endswith("tool_result"):
            yield ToolReturned(text(block, "tool_use_id"), block.get("is_error") is True)


def _lifecycle(found: Object) -> Iterator[AgentFact]:
    """The program takes a message from its queue: earlier than the repeated line, and also where none comes."""
    if text(found, "state") == "started" and (uuid := text(found, "command_uuid")):
        yield Echoed("", uuid)


def _request(found: Object) -> Iterator[AgentFact]:
    request = part(found, "request")
    if text(request, "subtype") == "can_use_tool":
        suggestions = tuple(items(request, "permission_suggestions"))
        subject = part(request, "input")
        yield tools.asked(text(found, "request_id"), text(request, "tool_name"), subject, suggestions)


def _cancel(found: Object) -> Iterator[AgentFact]:
    yield AskCancelled(text(found, "request_id"))


def _response(found: Object) -> Iterator[AgentFact]:
    response = part(found, "response")
    failed = text(response, "subtype") == "error"
    yield Acknowledged(text(response, "request_id"), (text(response, "error") or "refused") if failed else None)


def _rate_limit(found: Object) -> Iterator[AgentFact]:
    yield from _limit(part(found, "rate_limit_info"))


def _limit(info: Object) -> Iterator[AgentFact]:
    if text(info, "status") == "rejected":
        kind = text(info, "rateLimitType").replace("_", " ")
        yield Limited(number(info, "resetsAt"), f"{kind} limit reached".strip())


def _result(found: Object) -> Iterator[AgentFact]:
    """A limit whose end the text tells, or which only money ends, comes behind the turn's end: it lasts longer."""
    result = results.read(found)
    yield TurnEnded(result)
    if result.resume_at is not None or result.reason == results.NO_CREDIT:
        yield Limited(result.resume_at, one_line(result.text))


KINDS: Mapping[str, Callable[[Object], Iterator[AgentFact]]] = {
    "system": _system,
    "assistant": _assistant,
    "user": _user,
    "command_lifecycle": _lifecycle,
    "control_request": _request,
    "control_cancel_request": _cancel,
    "control_response": _response,
    "rate_limit_event": _rate_limit,
    "result": _result,
}
"""By the line's `type`."""
