"""The Agent Client Protocol, version 1: JSON-RPC 2.0, one object a line. Lines in, facts and what we owe for them out.

The conversation is opened first: `initialize`, then `session/new` or `session/resume`, then its mode and model, one
answered before the next one is asked. The end of a turn is the reply to its prompt.
Source: the protocol's specification, and what each program of `rows` was seen to do.
"""

from __future__ import annotations

import json
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
    Retry,
    SessionNamed,
    SessionReady,
    TokenUsage,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.lines import Object, count_at, number_at, object_at, objects_at, one_line, text_at
from overmind_core.providers.rpc.engine import (
    FINAL,
    LONGEST_ID,
    NO_CONVERSATION,
    RpcConnection,
    Turn,
    error_of,
    error_text,
    gone,
    not_copied,
    not_opened,
    reason_of,
    refused,
    written,
)
from overmind_core.providers.rpc.mcp import NO_SERVERS, STDIO, McpServer
from overmind_core.providers.rpc.rows import ASK, AcpRow, TokensFrom
from overmind_core.providers.rpc.tools import merged, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from overmind_core.providers.base import ConnectionRequest

PROTOCOL = 1
OPEN, SESSION, TOLD, MODE, MODEL = "open", "session", "told", "mode", "model"
"""Ids of our requests."""
_ENDS = {"cancelled": "interrupted", "max_tokens": "max_tokens", "max_turn_requests": "max_turns", "refusal": "refused"}
"""`stopReason` of a turn that has not come to its end → reason."""
_WRITTEN = frozenset({"agent_message_chunk", "agent_thought_chunk"})
_CALLS = frozenset({"tool_call", "tool_call_update"})


def _written(message: Mapping[str, Any]) -> bytes:
    return written({"jsonrpc": "2.0", **message})


def initialize() -> bytes:
    """Return what a run begins with."""
    can = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
    about = {"name": "overmind", "title": "Overmind", "version": "1"}
    params = {"protocolVersion": PROTOCOL, "clientCapabilities": can, "clientInfo": about}
    return _written({"id": OPEN, "method": "initialize", "params": params})


MESSAGE_BEGINS = _written({"method": "session/prompt", "params": {"prompt": []}})[: -len(b"]}}\n")]
"""All messages begin so; what comes behind it in the first one of a conversation are texts beside the person's."""


def first_words(notes: str | None, instructions: str | None) -> str:
    """Return what the first message of a conversation begins with, as a piece of its bytes.

    As texts: a resource is a file below /tmp with copilot, and changes the person's words with gemini and qwen.
    """
    return "".join(f"{json.dumps(_text(one), ensure_ascii=False)}, " for one in framed_words(notes, instructions))


def framed_words(notes: str | None, instructions: str | None) -> Sequence[str]:
    """Return the texts that stand before a person's first words."""
    framed = notes if not notes or notes.startswith("<") else f"<notes>\n{notes}</notes>\n"
    asked = f"<instructions>\n{instructions}\n</instructions>\n" if instructions else None
    return [one for one in (framed, asked) if one]


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


class AcpConnection(RpcConnection):
    """The talk with the program of one run."""

    def __init__(self, row: AcpRow, request: ConnectionRequest, servers: Callable[[], Sequence[McpServer]]) -> None:
        """Begin; `servers`: reads those that the conversation is given, or raises ValueError."""
        super().__init__(request, OPEN)
        self._row, self._servers = row, servers
        self._to_set: list[tuple[str, str, Mapping[str, Any]]] = []
        """Id, method and parameters of what is asked before the conversation is open."""
        self._forks: bool | None = None
        """Whether it announces that it copies conversations; None: that was not heard."""
        self._before: TokenUsage | None = None
        """Use of its process when the turn began, where it tells that; None: that was not heard."""

    # what we write

    def message(self, text: str, uuid: str) -> bytes:
        """A prompt."""
        params = {"prompt": [_text(text)], "sessionId": self.name}
        return _written({"method": "session/prompt", "params": params, "id": self.expect(uuid)})

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """What ends the turn; the protocol wants each open question answered, too."""
        del request
        cancel = _written({"method": "session/cancel", "params": {"sessionId": self.name}})
        return cancel + b"".join(_selected(one, None) for one in asked)

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """The answer to a question: once, whatever the person wants for later, which our own rules see to."""
        allowed = decision.behaviour is not Behaviour.DENY
        kinds = ("allow_once", "allow_always") if allowed else ("reject_once", "reject_always")
        options = [one for one in question.suggestions if isinstance(one, dict)]
        found = [one for kind in kinds for one in options if one.get("kind") == kind]
        if not allowed:
            self.turn.denied.add(self.turn.asked.get(question.request, ""))
        return _selected(question, text_at(found[0], "optionId") if found else None)

    # what the program says

    def on_request(self, found: Object) -> Iterator[AgentFact]:
        """The program wants something: a question is answered in its time, anything else at once."""
        if text_at(found, "method") != "session/request_permission":
            yield refused(found)
            return
        params = object_at(found, "params")
        told = object_at(params, "toolCall")
        known = self.turn.calls.get(text_at(told, "toolCallId"), {})
        tool = tool_of(merged(known, told), self.request.cwd)
        yield from self.use(told, is_asked=True)
        request = json.dumps(found["id"])
        self.turn.asked[request] = tool.call
        yield Asked(
            request,
            AgentNeed.PERMISSION,
            tool.name,
            tool.summary,
            tool.subject,
            tuple(objects_at(params, "options")),
        )

    def on_notice(self, found: Object) -> Iterator[AgentFact]:
        """An update of the conversation."""
        params = object_at(found, "params")
        of = text_at(params, "sessionId")
        if text_at(found, "method") != "session/update" or (of and self.name and of != self.name):
            return
        update = object_at(params, "update")
        kind = text_at(update, "sessionUpdate")
        yield from self._count(update)
        if kind == "current_mode_update":
            self.mode = _short(text_at(update, "currentModeId")) or self.mode
            if self.session:
                yield SessionNamed(self.session, self.model, self.mode)
        elif kind in _WRITTEN:
            content = object_at(update, "content")
            text = text_at(content, "text") if text_at(content, "type") == "text" else ""
            yield from self.say(text, thought=kind != "agent_message_chunk", notice=self._row.notice)
        elif kind in _CALLS:
            yield from self.use(update)
        elif kind == "plan":
            yield from self.begin()

    def _count(self, update: Object) -> Iterator[AgentFact]:
        """Note what an update tells of use and cost."""
        used = _usage(object_at(object_at(update, "_meta"), "usage"))
        if self._row.tokens is TokensFrom.CHUNKS and self.expects and used != TokenUsage():
            yield self.turn.called(used)
        cost = object_at(update, "cost")
        if text_at(cost, "currency") == "USD" and (amount := number_at(cost, "amount")) is not None and amount >= 0:
            self.turn.cost = amount

    # replies

    def on_reply(self, found: Object) -> Iterator[AgentFact]:
        """The reply to a request of ours; until the conversation is open, an earlier run's words are told once more."""
        request = found.get("id")
        if request == OPEN:
            self._before = TokenUsage()
        if request in (OPEN, SESSION) and self.request.in_turn:
            self.expects = request == SESSION
        yield from super().on_reply(found)

    def on_answer(self, found: Object) -> Iterator[AgentFact]:
        """The turn is over."""
        if not self.expects:
            return
        yield from self.over()
        turn, self.turn, self.expects = self.turn, Turn(self.request.cwd), False
        result = self._result(turn, object_at(found, "result"), error_of(found))
        if (total := result.process_usage) is not None:
            usage = TokenUsage() if self._before is None else total.since(self._before)
            result, self._before = replace(result, usage=usage), total
        yield TurnEnded(result)

    def _result(self, turn: Turn, reply: Object, error: Object | None) -> TurnResult:
        """How the turn ended, by the reply to its prompt."""
        if error is None and turn.wrong:
            error = {"message": turn.wrong}
        reason = reason_of(error) if error is not None else _ENDS.get(text_at(reply, "stopReason"))
        ok, used = reason is None, object_at(reply, "usage")
        text = turn.answer if ok or error is None else error_text(error)
        return TurnResult(
            ok=ok,
            reason=reason,
            text=text,
            retry=Retry.NEVER if reason in FINAL else Retry.POLICY,
            cost_total=turn.cost,
            usage=self._used(turn, reply),
            process_usage=_usage(used) if self._row.tokens is TokensFrom.PROCESS and used else None,
            raw={**(reply if error is None else {"error": error}), "result": text},
        )

    def _used(self, turn: Turn, reply: Object) -> TokenUsage:
        match self._row.tokens:
            case TokensFrom.QUOTA:
                count = object_at(object_at(object_at(reply, "_meta"), "quota"), "token_count")
                return TokenUsage(count_at(count, "input_tokens"), count_at(count, "output_tokens"))
            case TokensFrom.REPLY:
                return _usage(object_at(reply, "usage"))
            case TokensFrom.CHUNKS:
                return turn.usage
            case TokensFrom.PROCESS:
                return TokenUsage()

    def _on_open(self, found: Object) -> Iterator[AgentFact]:
        error, result = error_of(found), object_at(found, "result")
        version = number_at(result, "protocolVersion")
        if error is not None or version != PROTOCOL:
            text = f"it speaks version {version:g} of the protocol" if error is None and version is not None else ""
            yield not_opened(error, text or "it answered nothing that the protocol knows")
            return
        able = object_at(result, "agentCapabilities")
        resumes = "resume" in object_at(able, "sessionCapabilities")
        self._forks = "fork" in object_at(able, "sessionCapabilities")
        loads = self._row.loads and able.get("loadSession") is True
        if self.session and not (resumes or loads):
            yield gone("it can't go on with a conversation")
            return
        fork = self.request.fork
        if fork is not None and not self._forks:
            text = "it can't fork a conversation: it does not announce session/fork"
            yield NotOpened(TurnResult(ok=False, reason=NO_CONVERSATION, text=text, retry=Retry.NEVER))
            return
        self.awaited = SESSION  # an earlier supervisor may have asked: a file may be gone by now
        try:
            servers = [_server(one, object_at(able, "mcpCapabilities")) for one in self._servers()]
        except ValueError as wrong:
            yield NotOpened(TurnResult(ok=False, reason=NO_SERVERS, text=str(wrong), retry=Retry.NEVER))
            return
        params = {"cwd": self.request.cwd, "mcpServers": servers}
        method = ("session/resume" if resumes else "session/load") if self.session else "session/new"
        named = {"sessionId": self.session} if self.session else {}
        if fork is not None:
            method, named = "session/fork", {"sessionId": fork.session}
        yield self.ask(SESSION, method, {**named, **params})

    def _on_session(self, found: Object) -> Iterator[AgentFact]:
        error, result = error_of(found), object_at(found, "result")
        name = self.session or text_at(result, "sessionId")[:LONGEST_ID]
        if error is not None and self.request.fork is not None:
            yield not_copied(error)
            return
        if error is not None and self.session and reason_of(error) != "not_logged_in":
            yield gone(error_text(error))
            return
        if error is not None or not name:
            yield not_opened(error, "it opened a conversation without a name")
            return
        tells_late = bool(self.session) and self._row.tells_late
        self.session = name
        options = {text_at(one, "id"): one for one in objects_at(result, "configOptions")}
        refused = self._choose(_Choices(result, options))
        if refused is not None:
            yield refused
        elif tells_late and self.mode is not None:
            self.settles = True
        else:
            yield from self._set_next()

    def settled(self) -> Iterator[AgentFact]:
        """Ask for the mode that it is in: in a log its reply marks the end of what was told again."""
        self.settles = False
        yield self.ask(TOLD, "session/set_mode", {"sessionId": self.session, "modeId": self.mode})

    def _on_told(self, found: Object) -> Iterator[AgentFact]:
        del found  # it may refuse
        yield from self._set_next()

    def _choose(self, choices: _Choices) -> NotOpened | None:
        """Find out what is to be set; return why it can't be."""
        self.mode, self.model = choices.mode, choices.model
        agent = self.request.agent
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
            yield self.ask(request, method, {"sessionId": self.session, **params})
            return
        yield SessionNamed(self.session, self.model, self.mode, self._forks)
        yield SessionReady()
        agent, mode = self.request.agent, self.request.mode
        if mode is AgentMode.ONE_SHOT:
            yield Owed(self.message(agent.prompt or "", "1"), is_prompt=True)

    def _on_set(self, found: Object) -> Iterator[AgentFact]:
        error = error_of(found)
        request, _, params = self._to_set.pop(0)
        if error is not None:
            value = params.get("modeId") or params.get("value")
            text = f"it refused the {request} {value}: {error_text(error)}"
            yield NotOpened(TurnResult(ok=False, reason="usage_error", text=text, retry=Retry.NEVER))
            return
        if request == MODE:
            self.mode = _short(str(params["modeId"]))
        else:
            self.model = str(params["value"])
        yield from self._set_next()

    steps = {OPEN: _on_open, SESSION: _on_session, TOLD: _on_told, MODE: _on_set, MODEL: _on_set}  # noqa: RUF012 - of the class


def _server(server: McpServer, able: Object) -> dict[str, Any]:
    """A server as the protocol tells of it.

    Raises:
        ValueError: The program reaches none of this kind.
    """
    if server.kind == STDIO:
        environment = _pairs(server.environment)
        return {"name": server.name, "command": server.command, "args": [*server.arguments], "env": environment}
    if able.get(server.kind) is not True:
        raise ValueError(f"it reaches no server of tools by {server.kind}: {one_line(server.name, 100)}")
    return {"type": server.kind, "name": server.name, "url": server.url, "headers": _pairs(server.headers)}


def _pairs(values: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values]


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


def _usage(found: Object) -> TokenUsage:
    """Tokens. Some programs count those of the cache, or those thought, among the others, and some beside them."""
    told, said, thought = (count_at(found, f"{name}Tokens") for name in ("input", "output", "thought"))
    cached, stored = (count_at(found, f"{name}Tokens") for name in ("cachedRead", "cachedWrite"))
    beside = count_at(found, "totalTokens") - told - said
    is_apart = beside >= cached + stored
    if beside - (cached + stored if is_apart else 0) >= thought:
        said += thought
    return TokenUsage(told, said, cached, stored) if is_apart else TokenUsage(max(told - cached, 0), said, cached)


def _selected(question: Asked, option: str | None) -> bytes:
    """The reply to a question; without an option it is taken back, which refuses it."""
    outcome = {"outcome": "cancelled"} if option is None else {"outcome": "selected", "optionId": option}
    return _written({"id": json.loads(question.request), "result": {"outcome": outcome}})
