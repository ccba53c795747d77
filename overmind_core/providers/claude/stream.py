"""The output lines of `claude`: what each one means, its result line, and the uses of tools in it. No line raises.

Unknown types and fields mean nothing. Lines of a type that is not in the table, such as the fragments of
`--include-partial-messages`, are not even decoded where their beginning tells.

Neither the `subtype` of a result nor the exit code alone says whether a turn went well: an API error comes as `success`
with `is_error`, an interrupted turn ends the program with 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import (
    LONGEST_COMMAND,
    NO_CREDIT,
    Acknowledged,
    AgentFact,
    AskCancelled,
    Asked,
    Echoed,
    LimitReached,
    MarkReached,
    ModelCalled,
    PlainLine,
    Retry,
    Retrying,
    SessionNamed,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.claude.prices import price
from overmind_core.providers.lines import (
    Object,
    count_at,
    digest,
    error_line,
    exit_code,
    list_at,
    number_at,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
)

UNKNOWN_CONVERSATION = "No conversation found"
UNKNOWN_PLACE = "No message found"
KNOWN_CONVERSATION = "is already in use"

_INTERRUPTED = frozenset({"aborted_streaming", "aborted_tools"})
_NOT_LOGGED_IN = re.compile(r"not logged in|run /login|login expired|sign in again|invalid api key", re.IGNORECASE)
_LIMIT = re.compile(r"usage limit reached|you.ve hit your .{0,80}limit", re.IGNORECASE)
_LIMIT_END = re.compile(r"limit reached\|(\d{9,12})")
_NO_CREDIT = re.compile(
    r"credit balance (is )?too low|spend limit|(out of|requires|needs) usage credits", re.IGNORECASE
)

_STATUS = re.compile(r"API Error(?:: (\d{3})\b)?")

REASONS: Mapping[str, str] = {
    "error_max_turns": "max_turns",
    "error_max_budget_usd": "max_cost",
    "error_max_structured_output_retries": "no_structured_output",
}
"""By subtype."""

FINAL = frozenset(
    {"not_logged_in", "max_turns", "max_cost", "no_structured_output"}
    | {f"api_error {status}" for status in (400, 401, 403, 404, 413)}
)
"""Reasons with which another run would end the same way."""
HELD = frozenset({"limited", NO_CREDIT} | {f"api_error {status}" for status in (429, 503, 529)})
"""Reasons that pass: a rate limit, an overload, missing credit."""

SYNTHETIC = "<synthetic>"
"""The model of a message that the program says in a model's place."""
LIMITED = "limited"
INTERRUPTED = "interrupted"
WRONG_START = "wrong_start"
"""The conversation was to be resumed and does not exist, or to be begun and does."""


def turn_result(line: Object) -> TurnResult:
    """The result in a line of type `result`."""
    message = _error_text(line)
    ok = text_at(line, "subtype") == "success" and line.get("is_error") is not True
    reason = None if ok else _reason(line, message)
    end = limit_end(message) if reason == LIMITED else None
    return TurnResult(
        ok=ok,
        reason=reason,
        text=message,
        retry=retry_of(reason, end),
        resume_at=end,
        cost_total=number_at(line, "total_cost_usd"),
        cost_turn=_cost_turn(line),
        usage=_usage_of_turn(line),
        duration_ms=number_at(line, "duration_ms") or 0.0,
        turns=count_at(line, "num_turns"),
        raw=line,
    )


def usage(found: Object) -> TokenUsage:
    """The tokens of one turn."""
    return TokenUsage(
        input=count_at(found, "input_tokens"),
        output=count_at(found, "output_tokens"),
        cache_read=count_at(found, "cache_read_input_tokens"),
        cache_write=count_at(found, "cache_creation_input_tokens"),
    )


def _usage_of_turn(line: Object) -> TokenUsage:
    """The tokens of all models since the last result, those of sub-agents too: what the cost is counted by."""
    models = line.get("model_usage_since_last_result")
    if not isinstance(models, dict) or not models:
        return usage(object_at(line, "usage"))
    each = objects_at({"models": [*models.values()]}, "models")
    return TokenUsage(
        input=sum(count_at(one, "inputTokens") for one in each),
        output=sum(count_at(one, "outputTokens") for one in each),
        cache_read=sum(count_at(one, "cacheReadInputTokens") for one in each),
        cache_write=sum(count_at(one, "cacheCreationInputTokens") for one in each),
    )


def call_of(message: Object) -> ModelCalled | None:
    """The call of a model that a message is the answer to; None of a message that the program made itself."""
    used, name, model = object_at(message, "usage"), text_at(message, "id"), text_at(message, "model")
    if not used or not name or model == SYNTHETIC:
        return None
    final = text_at(message, "stop_reason") not in {"", "tool_use", "pause_turn"}
    return ModelCalled(name, usage(used), price(model, used), final)


def limit_end(message: str) -> float | None:
    """When the usage limit ends, where the text carries it: `… limit reached|<seconds since the epoch>`."""
    found = _LIMIT_END.search(message)
    return float(found[1]) if found else None


def _error_text(line: Object) -> str:
    errors = "\n".join(error for error in list_at(line, "errors") if isinstance(error, str))
    return text_at(line, "result") or errors


def _reason(line: Object, message: str) -> str:
    subtype, ended, status = (
        text_at(line, "subtype"),
        text_at(line, "terminal_reason"),
        count_at(line, "api_error_status"),
    )
    if ended in _INTERRUPTED:
        return INTERRUPTED
    if UNKNOWN_CONVERSATION in message or UNKNOWN_PLACE in message:
        return WRONG_START
    if subtype in REASONS:
        return REASONS[subtype]
    if reason := api_reason(message, status):
        return reason
    return ended if ended and ended != "completed" else subtype.removeprefix("error_") or "failed"


def api_reason(message: str, status: int) -> str | None:
    """Why the API did not answer, from what the program says of it and the HTTP status (0: none)."""
    if _NO_CREDIT.search(message):
        return NO_CREDIT
    if _LIMIT.search(message):
        return LIMITED
    if _NOT_LOGGED_IN.search(message):
        return "not_logged_in"
    named = _STATUS.search(message)
    if not status and named is None:
        return None
    return f"api_error {status or (named and named[1]) or ''}".rstrip()


def retry_of(reason: str | None, end: float | None) -> Retry:
    """What a failure for this reason means for what follows; `end`: of the limit, where that is told."""
    if reason == WRONG_START:
        return Retry.SWITCH
    if end is not None or reason in HELD:
        return Retry.WAIT
    return Retry.NEVER if reason in FINAL else Retry.POLICY


def _cost_turn(line: Object) -> float | None:
    """The sum over all models since the last result; None where the program doesn't tell."""
    models = line.get("model_usage_since_last_result")
    if not isinstance(models, dict):
        return None
    costs = (number_at(model, "costUSD") for model in objects_at({"models": [*models.values()]}, "models"))
    return sum(cost for cost in costs if cost is not None)


QUESTION_TOOL = "AskUserQuestion"
PLAN_TOOL = "ExitPlanMode"

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "Bash": ("command",),
    "Read": ("file_path",),
    "Edit": ("file_path",),
    "MultiEdit": ("file_path",),
    "Write": ("file_path",),
    "NotebookEdit": ("notebook_path",),
    "Glob": ("pattern", "path"),
    "Grep": ("pattern", "path"),
    "LS": ("path",),
    "WebFetch": ("url",),
    "WebSearch": ("query",),
    "Task": ("description", "prompt"),
    "Agent": ("description", "prompt"),
    "Skill": ("skill", "args"),
    PLAN_TOOL: ("plan",),
}
"""The fields of a tool's input that say what it is about."""

_ANY = ("command", "file_path", "path", "url", "query", "pattern", "description", "prompt", "name")
"""Of other tools: the first of these."""

FILES: Mapping[str, tuple[str, bool]] = {
    "Read": ("file_path", False),
    "NotebookRead": ("notebook_path", False),
    "Edit": ("file_path", True),
    "MultiEdit": ("file_path", True),
    "Write": ("file_path", True),
    "NotebookEdit": ("notebook_path", True),
}
"""Tools that are about one file: the field that names it, and whether they change it."""
COMMANDS = frozenset({"Bash", "PowerShell"})
"""Tools that run a command."""
LONGEST_PATH = 4096
"""Characters; what is longer is no path."""

DIALOGS = {QUESTION_TOOL: AgentNeed.QUESTION, PLAN_TOOL: AgentNeed.PLAN}
"""Tools that are questions themselves."""


def subject_line(tool: str, subject: Object) -> str:
    """The command, the file, the question: one line, "" when the input says nothing readable."""
    if tool == QUESTION_TOOL:
        return one_line(" ".join(text_at(question, "question") for question in objects_at(subject, "questions")))
    if tool in SUBJECTS:
        return one_line(" ".join(filter(None, (text_at(subject, key) for key in SUBJECTS[tool]))))
    return one_line(next(filter(None, (text_at(subject, key) for key in _ANY)), ""))


def summary(tool: str, subject: Object) -> str:
    """As in `Bash: pytest -q`."""
    about = subject_line(tool, subject)
    return f"{tool}: {about}" if about else tool


def tool_called(call: str, tool: str, subject: Object) -> ToolCalled:
    """The use of a tool with this input."""
    field, edits = FILES.get(tool, ("", False))
    path = text_at(subject, field)
    return ToolCalled(
        call,
        tool,
        summary(tool, subject),
        paths=(path,) if 0 < len(path) <= LONGEST_PATH else (),
        edits=edits,
        runs=tool in COMMANDS,
        digest="" if edits else digest((tool, subject)),
        command=text_at(subject, "command")[:LONGEST_COMMAND] if tool in COMMANDS else "",
    )


def tool_returned(call: str, answer: object, *, failed: bool, denied: bool = False) -> ToolReturned:
    """The answer of a tool: a text, blocks of them, or the object that a hook gets.

    The program tells the exit code of a command that failed; that of one that went well may be any.
    """
    error, code = "", None
    if failed:
        parts = objects_at({"parts": answer}, "parts")
        text = answer if isinstance(answer, str) else "\n".join(text_at(part, "text") for part in parts)
        error = error_line(text.removeprefix(_WRAPPED[0]).removesuffix(_WRAPPED[1]))
        code = None if denied else exit_code(text)
    return ToolReturned(call, failed, digest(answer), error, code, denied)


_WRAPPED = ("<tool_use_error>", "</tool_use_error>")
"""What stands around the errors of the program's own tools."""


def question_of(request: str, tool: str, subject: Object, suggestions: tuple[Any, ...] = ()) -> Asked:
    """The question whether it may use a tool; the tool can be the question itself."""
    need = DIALOGS.get(tool, AgentNeed.PERMISSION)
    about = summary(tool, subject) if need is AgentNeed.PERMISSION else subject_line(tool, subject)
    return Asked(request, need, tool, about or "a plan without text", subject, suggestions)


FRAGMENT = b'{"type":"stream_event"'
"""How a piece of an answer begins; the whole answer comes as a line of its own."""

_MILLISECONDS = 1000.0


def parse(line: bytes) -> Sequence[AgentFact]:
    """Parse one line into agent events."""
    if line.startswith(FRAGMENT):
        return ()
    found = read_object(line)
    if isinstance(found, str):
        return (PlainLine(found),) if found.strip() else ()
    convert = KINDS.get(text_at(found, "type"))
    return tuple(convert(found)) if convert is not None else ()


def blocks(found: Object) -> list[Object]:
    """The content of a message: its blocks; a plain string is a block of text."""
    message = object_at(found, "message")
    plain = text_at(message, "content")
    return [{"type": "text", "text": plain}] if plain else objects_at(message, "content")


def _system(found: Object) -> Iterator[AgentFact]:
    subtype = text_at(found, "subtype")
    if subtype == "init":
        if session := text_at(found, "session_id"):
            yield SessionNamed(session, text_at(found, "model") or None, text_at(found, "permissionMode") or None)
        yield TurnBegan()
    elif subtype == "api_retry":
        delay = (number_at(found, "retry_delay_ms") or 0.0) / _MILLISECONDS
        status = count_at(found, "error_status")
        error = f"{text_at(found, 'error')} {status or ''}".strip()
        yield Retrying(count_at(found, "attempt"), count_at(found, "max_retries"), max(delay, 0.0), error)


def _assistant(found: Object) -> Iterator[AgentFact]:
    if "error" in found and not found.get("parent_tool_use_id"):
        yield from _limit(object_at(object_at(found, "api_error_params"), "rate_limit_info"))
        return  # the text is of the program's own, and the result has it, too
    call = call_of(object_at(found, "message"))
    if call is not None:
        yield call
    for block in blocks(found):
        kind = text_at(block, "type")
        if kind == "text":
            yield TextSpoken(text_at(block, "text"))
        elif kind == "thinking":
            yield TextSpoken(text_at(block, "thinking"), thought=True)
        elif kind.endswith("tool_use"):  # also those that the API runs itself: server_tool_use, mcp_tool_use
            yield tool_called(text_at(block, "id"), text_at(block, "name"), object_at(block, "input"))
    if (uuid := text_at(found, "uuid")) and not found.get("parent_tool_use_id"):
        yield MarkReached(uuid)


def _user(found: Object) -> Iterator[AgentFact]:
    """A message of ours that comes back (`isReplay`), or what tools returned."""
    if found.get("isReplay") is True:
        texts = (text_at(block, "text") for block in blocks(found) if text_at(block, "type") == "text")
        yield Echoed("\n".join(texts), text_at(found, "uuid") or None)
        return
    denied = {text_at(about, "id") for about in objects_at(found, "tool_result_meta") if _was_denied(about)}
    for block in blocks(found):
        if text_at(block, "type").endswith("tool_result"):
            call, failed = text_at(block, "tool_use_id"), block.get("is_error") is True
            yield tool_returned(call, block.get("content"), failed=failed, denied=failed and call in denied)


def _was_denied(about: Object) -> bool:
    """Whether a tool has not run, by what is told beside its answer."""
    decision = text_at(object_at(about, "permission_decision"), "decision")
    return bool(text_at(about, "non_execution_kind")) or decision == "reject"


def _lifecycle(found: Object) -> Iterator[AgentFact]:
    """The program takes a message from its queue: earlier than the repeated line, and also where none comes."""
    if text_at(found, "state") == "started" and (uuid := text_at(found, "command_uuid")):
        yield Echoed("", uuid)


def _request(found: Object) -> Iterator[AgentFact]:
    request = object_at(found, "request")
    if text_at(request, "subtype") == "can_use_tool":
        suggestions = tuple(list_at(request, "permission_suggestions"))
        subject = object_at(request, "input")
        yield question_of(text_at(found, "request_id"), text_at(request, "tool_name"), subject, suggestions)


def _cancel(found: Object) -> Iterator[AgentFact]:
    yield AskCancelled(text_at(found, "request_id"))


def _response(found: Object) -> Iterator[AgentFact]:
    response = object_at(found, "response")
    failed = text_at(response, "subtype") == "error"
    yield Acknowledged(text_at(response, "request_id"), (text_at(response, "error") or "refused") if failed else None)


def _rate_limit(found: Object) -> Iterator[AgentFact]:
    yield from _limit(object_at(found, "rate_limit_info"))


def _limit(info: Object) -> Iterator[AgentFact]:
    if text_at(info, "status") == "rejected":
        kind = text_at(info, "rateLimitType").replace("_", " ")
        yield LimitReached(number_at(info, "resetsAt"), f"{kind} limit reached".strip())


def _result(found: Object) -> Iterator[AgentFact]:
    """A limit whose end the text tells, or which only money ends, comes behind the turn's end: it lasts longer."""
    result = turn_result(found)
    yield TurnEnded(result)
    if result.resume_at is not None or result.reason == NO_CREDIT:
        yield LimitReached(result.resume_at, one_line(result.text))


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
