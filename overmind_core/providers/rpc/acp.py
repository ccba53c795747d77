"""The Agent Client Protocol, version 1: JSON-RPC 2.0, one object a line. Lines in, facts and what we owe for them out.

The conversation is opened first: `initialize`, then `session/new` or `session/resume`, then its mode and model, one
answered before the next one is asked. A turn is one prompt; its answer is the sum of its pieces of text, and its end
is the reply to that prompt. Ids of our requests carry their meaning; the program's come back as they were.
Source: the protocol's specification, and what each program of `rows` was seen to do.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    Asked,
    Behaviour,
    Decision,
    NotOpened,
    Owed,
    PlainLine,
    Retry,
    SessionNamed,
    SessionReady,
    TextSpoken,
    TokenUsage,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.lines import (
    Object,
    count_at,
    digest,
    error_line,
    number_at,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc.rows import ASK, AcpRow, TokensFrom
from overmind_core.providers.rpc.tools import merged, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from overmind_core.providers.base import ConnectionRequest

PROTOCOL = 1
OPEN, SESSION, MODE, MODEL, PROMPT = "open", "session", "mode", "model", "m"
"""Ids of our requests; that of a prompt goes on with its uuid."""
METHOD_NOT_FOUND = -32601
AUTH_REQUIRED = -32000
"""Source: the protocol's error codes."""
LONGEST_ANSWER = 4 * 1024 * 1024
"""Characters of an answer; the log has all of it."""
MOST_CALLS = 1000
"""Tool calls of a turn that are known."""
LONGEST_ID = 512
"""Characters of a conversation's name."""
NO_CONVERSATION = "no_conversation"
"""The reason of a run whose program did not open a conversation, for none of the reasons that have a name."""
FINAL = frozenset({"not_logged_in", "usage_error"} | {f"api_error {status}" for status in (400, 401, 403, 404, 413)})
"""Reasons with which another run would end the same way."""
_STATUS = re.compile(r"\b(4\d\d|5\d\d)\b")
_NOT_LOGGED_IN = re.compile(r"api[ _]key|not logged in|authenticat|unauthorized|log in", re.IGNORECASE)
_ENDS = {"cancelled": "interrupted", "max_tokens": "max_tokens", "max_turn_requests": "max_turns", "refusal": "refused"}
"""`stopReason` of a turn that has not come to its end → reason."""
_WRITTEN = frozenset({"agent_message_chunk", "agent_thought_chunk"})
_CALLS = frozenset({"tool_call", "tool_call_update"})
_OVER = frozenset({"completed", "failed"})


def written(message: Mapping[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def initialize() -> bytes:
    """Return what a run begins with."""
    can = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
    about = {"name": "overmind", "title": "Overmind", "version": "1"}
    params = {"protocolVersion": PROTOCOL, "clientCapabilities": can, "clientInfo": about}
    return written({"id": OPEN, "method": "initialize", "params": params})


class AcpConnection:
    """What is said with the program of one run."""

    def __init__(self, row: AcpRow, request: ConnectionRequest) -> None:
        self._row = row
        self._request = request
        self._session = request.session if request.resume else ""
        """The conversation's name; "" before the program has told it."""
        self._model: str | None = None
        self._mode: str | None = None
        self._to_set: list[tuple[str, str, Mapping[str, Any]]] = []
        """Id, method and parameters of what is asked before the conversation is open."""
        self._awaited = "" if request.in_turn else OPEN
        """The id of the request that the next step of opening waits for; "": there is none."""
        self._expects = request.in_turn
        """A prompt is on its way: what is said and done belongs to its turn. What comes late belongs to none, for no
        reply would end it."""
        self._turn = _Turn(request.cwd)
        self._before: TokenUsage | None = None
        """What its process had used when the turn began, where it tells that; None: that was not heard."""

    # what we write

    def message(self, text: str, uuid: str) -> bytes:
        """A prompt."""
        self._expects, self._turn = True, _Turn(self._request.cwd)
        return written(
            {
                "id": f"{PROMPT}{uuid}",
                "method": "session/prompt",
                "params": {"sessionId": self._name, "prompt": [{"type": "text", "text": text}]},
            }
        )

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """What ends the turn; the protocol wants each open question answered, too."""
        del request
        cancel = written({"method": "session/cancel", "params": {"sessionId": self._name}})
        return cancel + b"".join(_selected(one, None) for one in asked)

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """The answer to a question: once, whatever the person wants for later, which our own rules see to."""
        allowed = decision.behaviour is not Behaviour.DENY
        kinds = ("allow_once", "allow_always") if allowed else ("reject_once", "reject_always")
        options = [one for one in question.suggestions if isinstance(one, dict)]
        found = [one for kind in kinds for one in options if one.get("kind") == kind]
        if not allowed:
            self._turn.denied.add(self._turn.asked.get(question.request, ""))
        return _selected(question, text_at(found[0], "optionId") if found else None)

    @property
    def _name(self) -> str:
        return self._session or self._request.session

    # what the program says

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line of its output."""
        found = read_object(line)
        if isinstance(found, str):
            return (PlainLine(found),) if found.strip() else ()
        if "method" in found:
            facts = self._on_request(found) if "id" in found else self._on_notice(found)
        else:
            facts = self._on_reply(found)
        return tuple(facts)

    def _on_request(self, found: Object) -> Iterator[AgentFact]:
        """The program wants something: a question is answered in its time, anything else at once."""
        if text_at(found, "method") != "session/request_permission":
            error = {"code": METHOD_NOT_FOUND, "message": "Method not found"}
            yield Owed(written({"id": found["id"], "error": error}))
            return
        params = object_at(found, "params")
        told = object_at(params, "toolCall")
        known = self._turn.calls.get(text_at(told, "toolCallId"), {})
        tool = tool_of(merged(known, told), self._request.cwd)
        if self._expects:
            yield from self._begin()
            yield from self._turn.spoken()
            yield from self._turn.call(told)
        request = json.dumps(found["id"])
        self._turn.asked[request] = tool.call
        yield Asked(
            request,
            AgentNeed.PERMISSION,
            tool.name,
            tool.summary,
            tool.subject,
            tuple(objects_at(params, "options")),
        )

    def _on_notice(self, found: Object) -> Iterator[AgentFact]:
        params = object_at(found, "params")
        of = text_at(params, "sessionId")
        if text_at(found, "method") != "session/update" or (of and self._name and of != self._name):
            return
        update = object_at(params, "update")
        kind = text_at(update, "sessionUpdate")
        self._turn.count(update)
        if kind == "current_mode_update":
            self._mode = _short(text_at(update, "currentModeId")) or self._mode
            if self._session:
                yield SessionNamed(self._session, self._model, self._mode)
        elif kind in _WRITTEN:
            yield from self._on_text(update, thought=kind != "agent_message_chunk")
        elif kind in _CALLS and self._expects:
            yield from self._begin()
            yield from self._turn.spoken()
            yield from self._turn.call(update)
        elif kind == "plan":
            yield from self._begin()

    def _on_text(self, update: Object, *, thought: bool) -> Iterator[AgentFact]:
        content = object_at(update, "content")
        text = text_at(content, "text") if text_at(content, "type") == "text" else ""
        if text and self._expects:
            yield from self._begin()
            yield from self._turn.add(text, self._row.notice, thought=thought)

    def _begin(self) -> Iterator[AgentFact]:
        if self._expects and not self._turn.began:
            self._turn.began = True
            yield TurnBegan()

    # replies

    def _on_reply(self, found: Object) -> Iterator[AgentFact]:
        request = found.get("id")
        if not isinstance(request, str):
            return
        if request == OPEN:
            self._before = TokenUsage()
        if request == self._awaited:
            self._awaited = ""
            yield from self._steps[request](self, found)
        elif request.startswith(PROMPT) and request not in self._steps:
            yield from self._on_answer(found)

    def _on_answer(self, found: Object) -> Iterator[AgentFact]:
        """The turn is over."""
        if not self._expects:
            return
        yield from self._begin()
        yield from self._turn.spoken()
        turn, self._turn, self._expects = self._turn, _Turn(self._request.cwd), False
        result = turn.result(self._row, object_at(found, "result"), _error(found))
        if (total := result.process_usage) is not None:
            usage = TokenUsage() if self._before is None else total.since(self._before)
            result, self._before = replace(result, usage=usage), total
        yield TurnEnded(result)

    def _on_open(self, found: Object) -> Iterator[AgentFact]:
        error, result = _error(found), object_at(found, "result")
        version = number_at(result, "protocolVersion")
        if error is not None or version != PROTOCOL:
            text = f"it speaks version {version:g} of the protocol" if error is None and version is not None else ""
            yield _not_opened(error, text or "it answered nothing that the protocol knows")
            return
        able = object_at(result, "agentCapabilities")
        resumes = "resume" in object_at(able, "sessionCapabilities")
        loads = self._row.loads and able.get("loadSession") is True
        params = {"cwd": self._request.cwd, "mcpServers": []}
        if self._session and not (resumes or loads):
            yield _gone("it can't go on with a conversation")
            return
        method = ("session/resume" if resumes else "session/load") if self._session else "session/new"
        named = {"sessionId": self._session} if self._session else {}
        yield self._request_of(SESSION, method, {**named, **params})

    def _on_session(self, found: Object) -> Iterator[AgentFact]:
        error, result = _error(found), object_at(found, "result")
        name = self._session or text_at(result, "sessionId")[:LONGEST_ID]
        if error is not None and self._session and _reason(error) != "not_logged_in":
            yield _gone(_text(error))
            return
        if error is not None or not name:
            yield _not_opened(error, "it opened a conversation without a name")
            return
        self._session = name
        options = {text_at(one, "id"): one for one in objects_at(result, "configOptions")}
        refused = self._choose(_Choices(result, options))
        if refused is not None:
            yield refused
        else:
            yield from self._set_next()

    def _choose(self, choices: _Choices) -> NotOpened | None:
        """Find out what is to be set; return why it can't be."""
        self._mode, self._model = choices.mode, choices.model
        agent = self._request.agent
        mode = self._row.modes.get(agent.permission_mode or ASK, agent.permission_mode)
        if agent.permission_mode in self._row.permissions and agent.permission_mode not in self._row.modes:
            mode = None  # its environment says it
        if mode is not None and choices.modes and mode not in choices.modes:
            words = ", ".join(dict.fromkeys((*self._row.modes, *self._row.permissions, *choices.modes)))
            text = f"it has no mode {mode}: write {words}"
            return NotOpened(TurnResult(ok=False, reason="usage_error", text=text, retry=Retry.NEVER))
        if mode is not None and mode != choices.mode:
            self._to_set.append((MODE, "session/set_mode", {"modeId": choices.modes.get(mode, mode)}))
        if agent.model and self._row.model_option is None and agent.model != choices.model:
            option = {"configId": "model", "value": agent.model}
            self._to_set.append((MODEL, "session/set_config_option", option))
        return None

    def _set_next(self) -> Iterator[AgentFact]:
        """Set the next thing that is to be set; when there is none, the conversation is open."""
        if self._to_set:
            request, method, params = self._to_set[0]
            yield self._request_of(request, method, {"sessionId": self._session, **params})
            return
        yield SessionNamed(self._session, self._model, self._mode)
        yield SessionReady()
        agent, mode = self._request.agent, self._request.mode
        if mode is AgentMode.ONE_SHOT:
            yield Owed(self.message(agent.prompt or "", "1"))

    def _request_of(self, request: str, method: str, params: Mapping[str, Any]) -> Owed:
        self._awaited = request
        return Owed(written({"id": request, "method": method, "params": params}))

    def _on_set(self, found: Object) -> Iterator[AgentFact]:
        error = _error(found)
        request, _, params = self._to_set.pop(0)
        if error is not None:
            value = params.get("modeId") or params.get("value")
            text = f"it refused the {request} {value}: {_text(error)}"
            yield NotOpened(TurnResult(ok=False, reason="usage_error", text=text, retry=Retry.NEVER))
            return
        if request == MODE:
            self._mode = _short(str(params["modeId"]))
        else:
            self._model = str(params["value"])
        yield from self._set_next()

    _steps: Mapping[str, Callable[[AcpConnection, Object], Iterator[AgentFact]]] = {
        OPEN: _on_open,
        SESSION: _on_session,
        MODE: _on_set,
        MODEL: _on_set,
    }
    """By the id of the request."""


class _Choices:
    """What a conversation can be set to, and is, as the reply that opens it says."""

    def __init__(self, result: Object, options: Mapping[str, Object]) -> None:
        modes, models = object_at(result, "modes"), object_at(result, "models")
        named = [text_at(one, "id") for one in objects_at(modes, "availableModes")]
        values = [text_at(one, "value") for one in objects_at(options.get("mode", {}), "options")]
        self.modes = {_short(one): one for one in (named or values) if one}
        """Name of ours → the program's."""
        mode = text_at(modes, "currentModeId") or text_at(options.get("mode", {}), "currentValue")
        self.mode = _short(mode) or None
        self.model = text_at(models, "currentModelId") or text_at(options.get("model", {}), "currentValue") or None


def _short(mode: str) -> str:
    """The name of a mode, which may be called by the address of its page."""
    return mode.rpartition("#")[2] or mode


class _Turn:
    """A turn under way."""

    def __init__(self, folder: str) -> None:
        self.began = False
        self._folder = folder
        """Where the agent works."""
        self.calls: dict[str, Object] = {}
        """Calls of tools by their names, as far as they were told."""
        self.asked: dict[str, str] = {}
        """Question → the call that it is about."""
        self.denied: set[str] = set()
        self._told: set[str] = set()
        self._blocks: list[str] = []
        """The answer so far: what stands between two uses of tools is a block."""
        self._length = 0
        self._line = ""
        """What was said and not handed on: the end of a line may follow."""
        self._is_thought = False
        self._is_new_block = True
        self._usage = TokenUsage()
        self._cost: float | None = None
        self._wrong = ""
        """What the program itself said last of an error."""

    def count(self, update: Object) -> None:
        """Note what an update tells of use and cost."""
        self._usage = _plus(self._usage, _usage(object_at(object_at(update, "_meta"), "usage")))
        cost = object_at(update, "cost")
        if text_at(cost, "currency") == "USD" and (amount := number_at(cost, "amount")) is not None and amount >= 0:
            self._cost = amount

    def add(self, text: str, notice: re.Pattern[str] | None, *, thought: bool) -> Iterator[AgentFact]:
        """Take in a piece of text, and hand its whole lines on; `notice` as in a row."""
        is_notice = None if notice is None or thought else notice.match(text)
        self._wrong = (is_notice["error"] or "") if is_notice else ""
        if is_notice:
            yield from self.spoken()
        yield from self._add(text, thought=thought)
        if is_notice:
            yield from self.spoken()

    def _add(self, text: str, *, thought: bool) -> Iterator[AgentFact]:
        if thought is not self._is_thought:
            yield from self.spoken(is_block=False)
            self._is_thought = thought
        if not thought and self._length < LONGEST_ANSWER:
            piece = text[: LONGEST_ANSWER - self._length]
            self._length += len(piece)
            if self._is_new_block:
                self._blocks.append("")
                self._is_new_block = False
            self._blocks[-1] += piece
        lines, newline, rest = (self._line + text).rpartition("\n")
        self._line = rest
        if newline and lines.strip():
            yield TextSpoken(lines, thought)

    def spoken(self, *, is_block: bool = True) -> Iterator[AgentFact]:
        """Hand on what was said and not handed on yet; with `is_block` the next text is another one."""
        text, self._line = self._line, ""
        self._is_new_block = self._is_new_block or is_block
        if text.strip():
            yield TextSpoken(text, self._is_thought)

    def call(self, told: Object) -> Iterator[AgentFact]:
        """Take in what was told of a use of a tool, and tell it once it is known what it does, and how it ended."""
        name = text_at(told, "toolCallId")
        is_over = name in self._told and name not in self.calls
        if not name or is_over or (name not in self.calls and len(self._told) >= MOST_CALLS):
            return
        whole = self.calls[name] = merged(self.calls.get(name, {}), told)
        status = text_at(whole, "status")
        is_asked = "sessionUpdate" not in told
        if name not in self._told and (is_asked or status != "pending"):
            self._told.add(name)
            yield tool_of(whole, self._folder).called
        if status in _OVER:
            del self.calls[name]
            yield self._returned(name, whole)

    def _returned(self, name: str, whole: Object) -> ToolReturned:
        failed, output = text_at(whole, "status") == "failed", object_at(whole, "rawOutput")
        said = _content(whole) or text_at(output, "error") or text_at(output, "output")
        code = number_at(object_at(output, "metadata"), "exit")
        error = error_line(said) if failed else ""
        exit_code = None if code is None else int(code)
        return ToolReturned(name, failed, digest(said), error, exit_code, denied=name in self.denied)

    def result(self, row: AcpRow, reply: Object, error: Object | None) -> TurnResult:
        """How the turn ended, by the reply to its prompt."""
        answer = "\n\n".join(block.strip("\n") for block in self._blocks).strip()
        used = object_at(reply, "usage")
        if error is None and self._wrong:
            error = {"message": self._wrong}
        stop = text_at(reply, "stopReason")
        reason = _reason(error) if error is not None else _ENDS.get(stop)
        ok = reason is None
        retry = Retry.NEVER if reason in FINAL else Retry.POLICY
        text = answer if ok or error is None else _text(error)
        raw = {**(reply if error is None else {"error": error}), "result": text}
        return TurnResult(
            ok=ok,
            reason=reason,
            text=text,
            retry=retry,
            cost_total=self._cost,
            usage=self._used(row, reply),
            process_usage=_usage(used) if row.tokens is TokensFrom.PROCESS and used else None,
            raw=raw,
        )

    def _used(self, row: AcpRow, reply: Object) -> TokenUsage:
        match row.tokens:
            case TokensFrom.QUOTA:
                count = object_at(object_at(object_at(reply, "_meta"), "quota"), "token_count")
                return TokenUsage(count_at(count, "input_tokens"), count_at(count, "output_tokens"))
            case TokensFrom.REPLY:
                return _usage(object_at(reply, "usage"))
            case TokensFrom.CHUNKS:
                return self._usage
            case TokensFrom.PROCESS:
                return TokenUsage()


def stored_result(found: Object) -> TurnEnded | None:
    """Return the end of a turn as its result was stored; None: the object is none."""
    if "jsonrpc" in found or not ("stopReason" in found or "error" in found):
        return None
    return TurnEnded(TurnResult(ok="error" not in found, text=text_at(found, "result"), raw=found))


def _usage(found: Object) -> TokenUsage:
    """Its `inputTokens` hold those read from the cache."""
    cached = count_at(found, "cachedReadTokens")
    fresh = max(count_at(found, "inputTokens") - cached, 0)
    return TokenUsage(fresh, count_at(found, "outputTokens"), cached)


def _plus(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(*(a + b for a, b in zip(one, other, strict=True)))


def _content(whole: Object) -> str:
    """The texts of a tool's answer."""
    pieces = [object_at(one, "content") for one in objects_at(whole, "content")]
    return "\n".join(text for piece in pieces if (text := text_at(piece, "text")))


def _selected(question: Asked, option: str | None) -> bytes:
    """The reply to a question; without an option it is taken back, which refuses it."""
    outcome = {"outcome": "cancelled"} if option is None else {"outcome": "selected", "optionId": option}
    return written({"id": json.loads(question.request), "result": {"outcome": outcome}})


def _error(found: Object) -> Object | None:
    return object_at(found, "error") if "error" in found and found["error"] is not None else None


def _text(error: Object) -> str:
    data = object_at(error, "data")
    details = text_at(data, "details") or text_at(data, "message")
    return one_line(": ".join(filter(None, (text_at(error, "message"), details))), 1000) or "it gave no reason"


def _reason(error: Object) -> str:
    code, text = number_at(error, "code"), _text(error)
    if code == AUTH_REQUIRED or _NOT_LOGGED_IN.search(text):
        return "not_logged_in"
    status = _STATUS.search(str(int(code)) if code is not None and code > 0 else "") or _STATUS.search(text)
    return f"api_error {status[1]}" if status else "api_error"


def _not_opened(error: Object | None, text: str) -> NotOpened:
    if error is None:
        return NotOpened(TurnResult(ok=False, reason=NO_CONVERSATION, text=text, retry=Retry.NEVER))
    reason = _reason(error)
    reason = reason if reason == "not_logged_in" else NO_CONVERSATION
    retry = Retry.NEVER if reason in FINAL else Retry.POLICY
    return NotOpened(TurnResult(ok=False, reason=reason, text=_text(error), retry=retry))


def _gone(text: str) -> NotOpened:
    """The conversation is not there: the next run begins one, and says so."""
    return NotOpened(TurnResult(ok=False, reason="wrong_start", text=text, retry=Retry.SWITCH))
