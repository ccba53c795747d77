"""Codex over `codex app-server`: a thread of its own protocol, whose turns are tasks and sessions alike.

Its requests and replies are JSON-RPC without the member `jsonrpc`. The end of a turn is a notice, `turn/completed`; the
reply to its prompt only says that it has begun. A change of files stands in the item that is told before the question.
Source: `codex app-server generate-json-schema`, and what codex 0.171.0 was seen to do.
"""

from __future__ import annotations

import json
import re
from errno import EILSEQ
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    MarkReached,
    NotOpened,
    Owed,
    PlainLine,
    Retry,
    Retrying,
    RunVerdict,
    SessionNamed,
    SessionReady,
    TextSpoken,
    TokenUsage,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.providers.base import OPENER_ENDS, Launch, TokensTold
from overmind_core.providers.lines import (
    Object,
    count_at,
    number_at,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc.codex_items import (
    ASKS_FOR_SERVER,
    ASKS_TO_CHANGE,
    ASKS_TO_RUN,
    approved_call,
    asked_call,
    call_of,
    is_approval,
)
from overmind_core.providers.rpc.codex_screen import NOTE, CodexScreen, failure_words, launch_on_screen, override_of
from overmind_core.providers.rpc.engine import (
    FINAL,
    LONGEST_ID,
    MOST_CALLS,
    RpcConnection,
    Turn,
    error_of,
    error_text,
    gone,
    not_copied,
    not_opened,
    refused,
    written,
)
from overmind_core.providers.rpc.mcp import HTTP, NO_SERVERS, SSE, is_json, read_servers
from overmind_core.providers.rpc.provider import LISTENING, RpcProvider, refusals
from overmind_core.providers.rpc.rows import ALL, ASK, READ_ONLY
from overmind_core.providers.rpc.tools import MCP_BEGINS, merged, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from overmind_core.providers.base import ConnectionRequest, LaunchRequest

OPEN, ACCOUNT, SESSION, STOP, LEFT, END = "open", "account", "session", "stop", "left", "end"
NOTED = "noted"
"""Ids of our requests."""
POLICIES: Mapping[str, tuple[str, str]] = {
    ASK: ("untrusted", "danger-full-access"),
    READ_ONLY: ("never", "read-only"),
    ALL: ("never", "danger-full-access"),
    "workspace-write": ("on-request", "workspace-write"),
    "danger-full-access": ("never", "danger-full-access"),
}
"""A word of `--permission-mode` → when it asks, and its sandbox: what a person allows runs without one."""
UNSUPPORTED: Mapping[str, Callable[[Agent], object]] = {
    "--allowed-tools": lambda agent: agent.allowed_tools,
    "--disallowed-tools": lambda agent: agent.disallowed_tools,
    "--max-turns": lambda agent: agent.max_turns,
}
"""Options of `overmind run` that this program has nothing for."""
OURS = frozenset({"--listen", "--", "-h", "--help", "-V", "--version", "daemon", "proxy"}) | {
    *("-a", "--ask-for-approval", "-s", "--sandbox", "--approve-for-me", "--yolo"),
    *("--dangerously-bypass-approvals-and-sandbox",),
    *("--no-daemon", "--remote", "--worktree", "-C", "--cd", "--last", "--all"),
}
"""Arguments that would undo ours."""
_SILENT = frozenset(POLICIES) - {ASK}
"""Words with which it runs commands unasked."""
_ABLE = {"experimentalApi": True}
"""Without it the commands that outlive an interrupted turn can't be ended."""
_MARKS = ("OVERMIND_MISSION_ID", "OVERMIND_MISSION_NAME", "OVERMIND_PARENT_ID", "OVERMIND_HOME", "OVERMIND_NOTES")
"""Variables that its servers of tools are given, too: by themselves they have few."""
INTERRUPTED = "interrupted"
_USAGE_ERROR = 2
_NO_THREAD = "no rollout found"
_RETRYING = re.compile(r"Reconnecting\.\.\. (\d{1,6})/(\d{1,6})")
_STATUS = re.compile(r"status:? (\d{3})\b")
_LIMIT = re.compile(r"usage limit", re.IGNORECASE)
_NOT_LOGGED_IN = re.compile(r"missing bearer|not logged in|codex login|missing environment variable", re.IGNORECASE)


class Codex(CodexScreen, RpcProvider):
    """The `codex` program: over its pipes, and on a terminal."""

    name = "codex"
    program = "codex"
    install = "npm install -g @openai/codex"
    log_in = "run codex login in a terminal"
    login_status = ("login", "status")
    tested = "0.171.0"
    transport = "codex"
    reports = True
    modes = frozenset(AgentMode)
    forks = True
    forks_at = True
    tells_cost = False
    tokens = TokensTold.CALLS

    def refuse(self, agent: Agent) -> str | None:
        """Name options that it doesn't know, and arguments that collide with ours."""
        problems = refusals(self.name, UNSUPPORTED, agent, OURS, silent=_SILENT)
        if (name := override_of(agent.arguments)) is not None:
            problems.append(f"--agent-arg with {name} is not possible: use --permission-mode")
        if agent.permission_mode and agent.permission_mode not in POLICIES:
            problems.insert(
                0, f"--permission-mode {agent.permission_mode} is not possible with codex: {', '.join(POLICIES)}"
            )
        for config in filter(is_json, agent.mcp_config):
            try:
                _servers(Agent(mcp_config=(config,)), lambda _: None)
            except ValueError as wrong:
                problems.append(str(wrong))
        return "; ".join(problems) or None

    def reads(self, agent: Agent, environ: Mapping[str, str]) -> Sequence[str]:
        """The files of servers of tools."""
        del environ
        return [one for one in agent.mcp_config if not is_json(one)]

    def launch(self, start: LaunchRequest) -> Launch:
        """All that opens the conversation is written at once; the notes stand in it, and so it is theirs."""
        agent, opening = start.agent, _opening(start)
        program = (agent.program or self.program, *agent.program_arguments)
        roots = "" if agent.folders is None else json.dumps([agent.folders.outputs], ensure_ascii=False)
        settings = ("-c", f"sandbox_workspace_write.writable_roots={roots}") if roots else ()
        if start.mode is AgentMode.INTERACTIVE:
            return launch_on_screen(start, program, settings, opening.decode("utf-8", "replace"))
        argv = [*program, "app-server", *settings, *agent.arguments]
        if start.notes is None:
            return Launch(argv=tuple(argv), stdin=opening)
        return Launch(argv=tuple(argv), notes=opening.decode("utf-8", "replace"), stdin=b"")

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line by itself: a piece of text, or the end of a turn as its result was stored."""
        found = read_object(line)
        if isinstance(found, dict) and text_at(found, "method") == "item/completed":
            item = object_at(object_at(found, "params"), "item")
            spoken = text_at(item, "text") if text_at(item, "type") == "agentMessage" else ""
            return (TextSpoken(spoken),) if spoken else ()
        return self.stored(found)

    def connect(self, request: ConnectionRequest) -> CodexConnection:
        """Return the one that hears the program of one run, and writes to it."""
        return CodexConnection(request)

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """The end of a run, judged."""
        if mode is AgentMode.INTERACTIVE and code in OPENER_ENDS:
            reason, retry = OPENER_ENDS[code]
            return RunVerdict(failed=True, reason=reason, retry=retry)
        if code == _USAGE_ERROR and last is None:
            return RunVerdict(failed=True, reason="usage_error", retry=Retry.NEVER)
        return super().verdict(code, last, errors, mode=mode, resumed=resumed)

    def failure(self, lines: Sequence[str]) -> TurnResult | None:
        """Why a turn on its screen has failed; None where nothing right above its prompt tells that."""
        words = failure_words(lines)
        reason = _reason({"message": words})
        retry = Retry.NEVER if reason in FINAL else Retry.POLICY
        return TurnResult(ok=False, reason=reason, text=words, retry=retry) if words else None

    def listener(self) -> CodexConnection:
        """Return one that hears a run that somebody else talks with."""
        return _Listener(LISTENING)


def _opening(start: LaunchRequest) -> bytes:
    agent = start.agent
    asks, sandbox = POLICIES.get(agent.permission_mode or ASK, POLICIES[ASK])
    instructions = "\n\n".join(filter(None, (start.notes, agent.append_system_prompt)))
    params: dict[str, Any] = {"approvalPolicy": asks, "sandbox": sandbox}
    params |= {"model": agent.model} if agent.model else {}
    params |= {"developerInstructions": instructions} if instructions else {}
    params |= {"baseInstructions": agent.system_prompt} if agent.system_prompt else {}
    if servers := _readable_servers(start):
        params |= {"config": {"mcp_servers": servers}}
    method = "thread/start"
    if start.resume:
        method, params = "thread/resume", params | {"threadId": start.session, "excludeTurns": True}
    elif start.fork is not None:
        method = "thread/fork"
        params |= {"threadId": start.fork.session, "excludeTurns": True, "cwd": from_wire(start.cwd)}
        params |= {"lastTurnId": start.fork.mark} if start.fork.mark else {}
    about = {"name": "overmind", "title": "Overmind", "version": "1"}
    opening: list[dict[str, Any]] = [
        {"id": OPEN, "method": "initialize", "params": {"clientInfo": about, "capabilities": _ABLE}},
        {"method": "initialized"},
        {"id": ACCOUNT, "method": "account/read", "params": {"refreshToken": False}},
        {"id": SESSION, "method": method, "params": params},
    ]
    return b"".join(map(written, opening))


def _readable_servers(start: LaunchRequest) -> dict[str, Any]:
    """Return the servers of tools; without any where the first reply finds out what is wrong."""
    texts = {name: text.encode("utf-8", "replace") for name, text in start.texts.items()}
    try:
        return _servers(start.agent, texts.get)
    except ValueError:
        return {}


def _servers(agent: Agent, read: Callable[[str], bytes | None]) -> dict[str, Any]:
    """Return the servers of tools as its configuration has them.

    Raises:
        ValueError: As `read_servers`, or it reaches none of a kind.
    """
    found: dict[str, Any] = {}
    asks = {"default_tools_approval_mode": "prompt"} if (agent.permission_mode or ASK) == ASK else {}
    for one in read_servers(agent.mcp_config, read):
        if one.kind == SSE:
            raise ValueError(f"codex reaches no server of tools by {SSE}: {one_line(one.name, 100)}")
        if one.kind == HTTP:
            found[one.name] = {"url": one.url, "http_headers": dict(one.headers), **asks}
        else:
            command = {"command": one.command, "args": [*one.arguments], "env": dict(one.environment)}
            found[one.name] = {**command, "env_vars": [*_MARKS], **asks}
    return found


def _in_utf8(read: Callable[[str], bytes | None]) -> Callable[[str], bytes | None]:
    """Refuse what `launch` could not read as a text."""

    def checked(name: str) -> bytes | None:
        data = read(name)
        try:
            data = data if data is None else data.decode("utf-8").encode("utf-8")
        except UnicodeDecodeError:
            raise OSError(EILSEQ, "it is not UTF-8") from None
        return data

    return checked


class CodexConnection(RpcConnection):
    """The talk with the program of one run."""

    def __init__(self, request: ConnectionRequest) -> None:
        super().__init__(request, OPEN)
        self._turn_id = ""
        """The program's name of the turn; "" before it has told that."""
        self._streamed: set[str] = set()
        """Messages of the turn that came in pieces."""
        self._is_to_stop = False
        """An interrupt waits for the turn's name."""
        self._early: Object | None = None
        """The reply that opens the conversation, where it came before the one about the account."""
        self._helpers: dict[str, Object] = {}
        """Calls of tools of the thread's helpers, which ask over the same pipes."""
        self._cut_off: set[str] = set()
        """What ran in a turn as it was interrupted: the program lets it run on."""

    # what we write

    def message(self, text: str, uuid: str) -> bytes:
        """A prompt."""
        self._turn_id, self._streamed, self._is_to_stop = "", set(), False
        prompt = {"threadId": self.name, "input": [{"type": "text", "text": text}]}
        return written({"id": self.expect(uuid), "method": "turn/start", "params": prompt})

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """The end of the turn, once its name is known."""
        del request
        self._is_to_stop = not self._turn_id
        cancelled = b"".join(_decided(one, "cancel") for one in asked)
        return cancelled + (self._stop() if self._turn_id else b"")

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """The answer to a question: once, whatever the person wants for later, which our own rules see to."""
        allowed = decision.behaviour is not Behaviour.DENY
        if not allowed:
            self.turn.denied.add(self.turn.asked.get(question.request, ""))
        return _decided(question, "accept" if allowed else "decline")

    def _stop(self) -> bytes:
        where = {"threadId": self.name, "turnId": self._turn_id}
        return written({"id": STOP, "method": "turn/interrupt", "params": where})

    # what the program says

    def on_request(self, found: Object) -> Iterator[AgentFact]:
        """The program wants something: a question is answered in its time, anything else at once."""
        method, params = text_at(found, "method"), object_at(found, "params")
        told: Object | None = None
        if method in {ASKS_TO_RUN, ASKS_TO_CHANGE}:
            told = asked_call(method, params, self.request.cwd)
        elif method == ASKS_FOR_SERVER and is_approval(params):
            told = approved_call(params, {**self.turn.calls, **self._helpers}, {*self.turn.asked.values()})
        if told is None:
            yield refused(found)
            return
        name = text_at(told, "toolCallId")
        known = self.turn.calls.get(name) or self._helpers.get(name, {})
        tool = tool_of(merged(known, told), self.request.cwd)
        if self._is_ours(params):
            yield from self.use(told, is_asked=True)
        request = json.dumps(found["id"])
        self.turn.asked[request] = tool.call
        yield Asked(request, AgentNeed.PERMISSION, tool.name, tool.summary, tool.subject)

    def on_notice(self, found: Object) -> Iterator[AgentFact]:
        """The thread goes on; what its helpers do is theirs."""
        params, method = object_at(found, "params"), text_at(found, "method")
        if method == "serverRequest/resolved":
            yield AskCancelled(json.dumps(params.get("requestId")))
        elif not self._is_ours(params):
            self._hear_helper(method, object_at(params, "item"))
        elif (tell := self._notices.get(method)) is not None:
            yield from tell(self, params)

    def _hear_helper(self, method: str, item: Object) -> None:
        """Remember a call of a helper for as long as it may ask about it."""
        if method == "item/started" and len(self._helpers) < MOST_CALLS:
            if call := call_of(item, self.request.cwd, is_over=False):
                self._helpers[call["toolCallId"]] = call
        elif method == "item/completed":
            self._helpers.pop(text_at(item, "id"), None)

    def _is_ours(self, params: Object) -> bool:
        """True of what is about the thread of the conversation, and not about one of its helpers."""
        of = text_at(params, "threadId")
        turn = text_at(params, "turnId") or text_at(object_at(params, "turn"), "id")
        if not self.name and of and turn and turn == self._turn_id:
            self.session = of
        return not of or (of == self.name if self.name else turn in {"", self._turn_id} or not self._turn_id)

    def _on_turn(self, params: Object) -> Iterator[AgentFact]:
        if self.name:
            yield from self._named(object_at(params, "turn"))
        yield from self.begin()
        if self.expects and self._turn_id:
            yield MarkReached(self._turn_id)

    def _named(self, turn: Object) -> Iterator[AgentFact]:
        """The turn has a name: what waited for it is written."""
        self._turn_id = self._turn_id or text_at(turn, "id")
        if self._is_to_stop and self._turn_id:
            self._is_to_stop = False
            yield Owed(self._stop())

    def _on_delta(self, params: Object) -> Iterator[AgentFact]:
        self._streamed.add(text_at(params, "itemId"))
        yield from self.say(text_at(params, "delta"), thought=False)

    def _on_item(self, params: Object) -> Iterator[AgentFact]:
        """A message, or a use of a tool, begins or ends."""
        item = object_at(params, "item")
        kind, is_over = text_at(item, "type"), "completedAtMs" in params
        if kind == "agentMessage":
            yield from self.turn.spoken()
            if is_over and text_at(item, "id") not in self._streamed:
                yield from self.say(text_at(item, "text"), thought=False)
                yield from self.turn.spoken()
        elif kind == "reasoning" and is_over:
            summary = item.get("summary")
            said = "\n".join(one for one in summary if isinstance(one, str)) if isinstance(summary, list) else ""
            yield from self.say(f"{said}\n" if said else "", thought=True)
        elif call := call_of(item, self.request.cwd, is_over=is_over):
            if text_at(item, "status") == "declined":
                self.turn.denied.add(call["toolCallId"])
            yield from self.use(call)

    def _on_tokens(self, params: Object) -> Iterator[AgentFact]:
        """The use of one call of the model; a thread that goes on tells that of its last turn once more."""
        if self.expects and (text_at(params, "turnId") == self._turn_id or not self.name):
            yield self.turn.called(_usage(object_at(object_at(params, "tokenUsage"), "last")))

    def _on_error(self, params: Object) -> Iterator[AgentFact]:
        """A try of its own; the error that it gives up for comes with the end of the turn."""
        error = object_at(params, "error")
        if params.get("willRetry") is True:
            tries = _RETRYING.match(text_at(error, "message"))
            attempt, most = (int(tries[1]), int(tries[2])) if tries else (0, 0)
            yield Retrying(
                attempt, most, 0.0, one_line(text_at(error, "additionalDetails") or text_at(error, "message"))
            )

    def _on_server(self, params: Object) -> Iterator[AgentFact]:
        """A server of tools has started, or has not: without it the thread goes on."""
        if text_at(params, "status") == "failed":
            why = one_line(text_at(params, "error"), 1000)
            yield PlainLine(f"server of tools {one_line(text_at(params, 'name'))}: {why or 'it does not start'}")

    def _on_end(self, params: Object) -> Iterator[AgentFact]:
        turn = object_at(params, "turn")
        if self.expects and text_at(turn, "id") == (self._turn_id or text_at(turn, "id")):
            yield from self._ended(text_at(turn, "status"), error_of(turn), number_at(turn, "durationMs") or 0.0)

    def _ended(self, status: str, error: Object | None, lasted: float) -> Iterator[AgentFact]:
        yield from self.over()
        if status == INTERRUPTED and self.turn.calls:
            self._cut_off |= {*self.turn.calls}
            yield self._ask_thread(LEFT, "thread/backgroundTerminals/list")
            self.awaited = LEFT
        turn, self.turn, self.expects = self.turn, Turn(self.request.cwd), False
        self._turn_id, self._streamed = "", set()
        told = None if error is None else _unwrapped(error)
        reason = _reason(told) if told is not None else {"completed": None}.get(status, status or "failed")
        ok = reason is None
        text = turn.answer if told is None else error_text(told)
        raw = {"status": status, **({} if error is None else {"error": error}), "result": text}
        retry = Retry.NEVER if reason in FINAL else Retry.POLICY
        yield TurnEnded(
            TurnResult(ok=ok, reason=reason, text=text, retry=retry, usage=turn.usage, duration_ms=lasted, raw=raw)
        )

    _notices: Mapping[str, Callable[[CodexConnection, Object], Iterator[AgentFact]]] = {
        "turn/started": _on_turn,
        "item/agentMessage/delta": _on_delta,
        "item/started": _on_item,
        "item/completed": _on_item,
        "thread/tokenUsage/updated": _on_tokens,
        "error": _on_error,
        "mcpServer/startupStatus/updated": _on_server,
        "turn/completed": _on_end,
    }

    # replies

    def on_answer(self, found: Object) -> Iterator[AgentFact]:
        """The prompt was taken, or refused."""
        error = error_of(found)
        if error is None:
            yield from self._named(object_at(object_at(found, "result"), "turn"))
        elif self.expects:
            yield from self._ended("failed", error, 0.0)

    def on_reply(self, found: Object) -> Iterator[AgentFact]:
        """The reply to a request of ours; the program may answer the last two of the opening in any order."""
        if found.get("id") == SESSION and self.awaited in {OPEN, ACCOUNT}:
            self._early = found
        else:
            yield from super().on_reply(found)

    def _on_open(self, found: Object) -> Iterator[AgentFact]:
        if (error := error_of(found)) is not None:
            yield not_opened(error, "")
            return
        try:
            _servers(self.request.agent, _in_utf8(self.request.read))
            self.awaited = ACCOUNT
        except ValueError as wrong:  # it was begun without them, and is given no prompt
            yield NotOpened(TurnResult(ok=False, reason=NO_SERVERS, text=str(wrong), retry=Retry.NEVER))

    def _on_account(self, found: Object) -> Iterator[AgentFact]:
        result = object_at(found, "result")
        if result.get("requiresOpenaiAuth") is True and not object_at(result, "account"):
            text = "codex has no login"
            yield NotOpened(TurnResult(ok=False, reason="not_logged_in", text=text, retry=Retry.NEVER))
        else:
            self.awaited, early = SESSION, self._early
            if early is not None:
                yield from self.on_reply(early)

    def _on_session(self, found: Object) -> Iterator[AgentFact]:
        error, result = error_of(found), object_at(found, "result")
        name = text_at(object_at(result, "thread"), "id")[:LONGEST_ID]
        if error is not None and self.session and _NO_THREAD in error_text(error):
            yield gone(error_text(error))
            return
        if error is not None and self.request.fork is not None:
            yield not_copied(error)
            return
        if error is not None or not name:
            yield not_opened(error, "it opened a conversation without a name")
            return
        agent = self.request.agent
        self.session, self.model = name, text_at(result, "model") or None
        yield SessionNamed(name, self.model, agent.permission_mode or ASK)
        if self.request.mode is AgentMode.INTERACTIVE and not self.request.resume:
            note = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": NOTE}]}
            self.awaited = NOTED
            yield self._ask_thread(NOTED, "thread/inject_items", items=[note])
            return
        yield SessionReady()
        if self.request.mode is AgentMode.ONE_SHOT:
            yield Owed(self.message(agent.prompt or "", "1"), is_prompt=True)

    def _on_noted(self, found: Object) -> Iterator[AgentFact]:
        """The thread is stored: its screen can go on with it."""
        error = error_of(found)
        yield SessionReady() if error is None else not_opened(error, "")

    def _on_left(self, found: Object) -> Iterator[AgentFact]:
        """End the commands that an interrupted turn has left running."""
        cut_off, self._cut_off = self._cut_off, set()
        for one in objects_at(object_at(found, "result"), "data"):
            if text_at(one, "itemId") in cut_off:
                process = text_at(one, "processId")
                yield self._ask_thread(END, "thread/backgroundTerminals/terminate", processId=process)

    def _ask_thread(self, request: str, method: str, **params: str | list[Object]) -> Owed:
        return Owed(written({"id": request, "method": method, "params": {"threadId": self.name, **params}}))

    steps = {  # noqa: RUF012 - of the class
        OPEN: _on_open,
        ACCOUNT: _on_account,
        SESSION: _on_session,
        NOTED: _on_noted,
        LEFT: _on_left,
    }


class _Listener(CodexConnection):
    """Reads a run that somebody else talks with: each piece of text is of a turn, and no reply is owed."""

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        self.expects = True
        if b'"turn/started"' in line:  # a thread that goes on has told the use of its last turn before
            self.turn = Turn(self.request.cwd)
        return tuple(fact for fact in super().parse(line) if not isinstance(fact, Owed | SessionReady))


def _decided(question: Asked, decision: str) -> bytes:
    is_of_server = question.tool.startswith(MCP_BEGINS)
    result = {"action": decision, "content": {}} if is_of_server else {"decision": decision}
    return written({"id": json.loads(question.request), "result": result})


def _usage(found: Object) -> TokenUsage:
    """Tokens; its `inputTokens` hold those read from the cache."""
    cached = count_at(found, "cachedInputTokens")
    fresh = max(count_at(found, "inputTokens") - cached, 0)
    return TokenUsage(fresh, count_at(found, "outputTokens"), cached, count_at(found, "cacheWriteInputTokens"))


def _unwrapped(error: Object) -> Object:
    """The same error in words: the program passes the body of a refused request on as it came."""
    body = read_object(text_at(error, "message").encode("utf-8", "replace"))
    told = {} if isinstance(body, str) else object_at(body, "error")
    if not text_at(told, "message"):
        return error
    is_known = text_at(told, "type") != _INVALID or isinstance(error.get("codexErrorInfo"), dict)
    status = {} if is_known else {"codexErrorInfo": {"badRequest": {"httpStatusCode": 400}}}
    return {**error, "message": told["message"], **status}


_INVALID = "invalid_request_error"
"""The type of a request that is refused for what it says. Source: OpenAI's API."""


def _reason(error: Object) -> str:
    """Return why a turn has failed, as reasons of missions are written."""
    message, about = text_at(error, "message"), error.get("codexErrorInfo")
    if _LIMIT.search(message) or about == "usageLimitExceeded":
        return "limited"
    if _NOT_LOGGED_IN.search(message):
        return "not_logged_in"
    told = (
        [number_at(one, "httpStatusCode") for one in about.values() if isinstance(one, dict)]
        if isinstance(about, dict)
        else []
    )
    status = _STATUS.search(message)
    number = next((int(one) for one in told if one), None) or (int(status[1]) if status else None)
    return f"api_error {number}" if number else "api_error"
