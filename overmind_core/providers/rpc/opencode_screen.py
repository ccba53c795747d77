"""`opencode` on a terminal: its full-screen program, and the server beside it that tells all and takes all. Pure.

The server is the mission's own: on loopback, at a port and with a password of the run. Its events are lines of JSON;
what was missed between two connections is listed. A question stands on its screen and in the inbox, and the first
answer closes both. Nothing is typed, so that a person's draft stays as it is.
Source: `GET /doc` of opencode 1.18.33, and what that was seen to do.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    LimitReached,
    ModelCalled,
    NotOpened,
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
from overmind_core.providers.base import Launch, Lookup, ServerRequest
from overmind_core.providers.lines import (
    Object,
    count_at,
    digest,
    error_line,
    list_at,
    number_at,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc.acp import framed_words
from overmind_core.providers.rpc.engine import FINAL, gone, not_copied, not_opened, reason_of
from overmind_core.providers.rpc.mcp import HTTP, NO_SERVERS, STDIO, McpServer, read_servers
from overmind_core.providers.rpc.provider import AcpProvider
from overmind_core.providers.rpc.rows import OPENCODE, READ_ONLY
from overmind_core.providers.rpc.tools import tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.providers.base import ConnectionRequest, LaunchRequest, Standing

Fact = AgentFact | Lookup

PASSWORD = "OPENCODE_SERVER_PASSWORD"  # noqa: S105 - the name of a variable
USERNAME, USER = "OPENCODE_SERVER_USERNAME", "opencode"
OURS = frozenset({"--port", "--hostname", "--mdns", "--mdns-domain", "--cors", "--auto", "--mini", "--prompt"}) | {
    *("-s", "--session", "-c", "--continue", "--fork", "--agent"),
}
"""Arguments that would undo ours."""
MARK = "overmind"
"""The key under which a text of a message holds our name of that."""
MOST_KNOWN = 1000
"""Messages, calls and conversations that are remembered at once."""
OK = 200
MISSING = 404
_ID = re.compile(r"(?:ses|msg|per|que)_[A-Za-z0-9]{1,64}")
_KINDS: Mapping[str, str] = {
    "bash": "execute",
    **dict.fromkeys(("edit", "write", "multiedit", "patch", "apply_patch"), "edit"),
    "read": "read",
    "webfetch": "fetch",
}
"""Its tools and permissions → kinds of tools."""
_QUESTION = "AskUserQuestion"
_ABORTED = "MessageAbortedError"
_GIVEN_UP: Object = {"name": _ABORTED}
_REFUSED = ("The user rejected permission", "Tool execution aborted", "The user dismissed this question")
_BUSY, _RETRY, _IDLE = "busy", "retry", "idle"
_STATUS = "/session/status"
_RUNNING = "running"
_USED = frozenset({_RUNNING, "completed", "error"})
"""States of a use of a tool of which all is known."""
_COPIED = 10_000
"""Milliseconds by which the name of a message is younger than the message, if that is a copy, as of a fork."""
_TIMED = re.compile(r"msg_([0-9a-f]{9})")
"""A message's name begins with 36 bits of the milliseconds at which it was given."""
_WRAP = 1 << 36
_DRAWN, _FIRST_PAGE = " commands", "Ask anything"
"""Words below its prompt, behind a key that a person may have chosen, and in the one of its first page."""
_MILLISECONDS = 1000.0
_SKIPPED = re.compile(rb'data: ?\{"id":"[^"]{0,80}","type":"(?:message\.part\.delta|plugin\.|server\.|catalog\.)')
"""Beginnings of events that tell nothing: most of those that come."""


def launch_on_screen(start: LaunchRequest, program: Sequence[str], environment: Mapping[str, str]) -> Launch:
    """Return the start. Its server opens the conversation: with `-s`, one that is gone would end the program."""
    agent = start.agent
    argv = [*program, "--port", str(start.port)]
    argv += ("--model", agent.model) if agent.model else ()
    argv += ("--agent", OPENCODE.modes[READ_ONLY]) if agent.permission_mode == READ_ONLY else ()
    argv += agent.arguments
    return Launch(argv=tuple(argv), environment={**environment, USERNAME: USER, PASSWORD: start.password})


class OpencodeServer:
    """The talk with the server of one run, from one connection to its end.

    Remembers one turn, and the conversations that it has met.
    """

    user = USER
    events = "/event"

    def __init__(self, request: ConnectionRequest, servers: Callable[[], Sequence[McpServer]]) -> None:
        """Begin; `servers`: reads those of tools, or raises ValueError."""
        self.session = request.session
        self._request, self._servers = request, servers
        self._since = 0.0
        """Seconds since the epoch: what was said before is no news, but a copy."""
        self._roots: dict[str, bool] = {}
        """Conversations → whether no other one has begun it, as a helper of its own."""
        self._people: set[str] = set()
        """Messages of people of which the text has yet to come."""
        self._newest = ""
        """The newest one of which it has come: a message is told again as it changes. Their names rise."""
        self._calls: dict[str, bool] = {}
        """Uses of tools in the turn → whether they have returned. An event may show what came after it: it is written
        down late, and then tells how the whole stands."""
        self._in_turn = self._runs = False
        """Whether a turn is under way; whether its program has said so."""
        self._text = ""
        """The newest text of the turn."""
        self._wrong: Object | None = None
        """Why the turn has failed."""
        self._agent = ""
        """Its own agent that was chosen last, as by a person on its screen."""

    # what we ask

    def opening(self) -> Sequence[ServerRequest]:
        """Return the requests that open the conversation: the last one does, those before it add its servers of tools.

        Raises:
            ValueError: They can't be read.
        """
        request = self._request
        servers = [ServerRequest("/mcp", {"name": one.name, "config": _server(one)}) for one in self._servers()]
        if request.resume:
            return (*servers, ServerRequest(f"/session/{_path(self.session)}"))
        if request.fork is not None:
            return (*servers, ServerRequest(f"/session/{_path(request.fork.session)}/fork", {}))
        return (*servers, ServerRequest("/session", {}))

    def opened(self, status: int, reply: object) -> Sequence[AgentFact]:
        """Return the facts of the reply to that."""
        found = reply if isinstance(reply, dict) else {}
        name = _id_at(found, "id")
        if status == OK and name:
            self.session = name
            return (SessionNamed(name, begins=True), SessionReady())
        words = text_at(found, "message") or text_at(object_at(found, "data"), "message") or f"it answered {status}"
        if self._request.resume and status == MISSING:
            return (gone(words),)
        if self._request.fork is not None:
            return (not_copied({"message": words}),)
        return (not_opened({"message": words}, words),)

    def unreadable(self, wrong: ValueError) -> NotOpened:
        """Return the fact that the servers of tools can't be read."""
        return NotOpened(TurnResult(ok=False, reason=NO_SERVERS, text=str(wrong), retry=Retry.NEVER))

    def show(self) -> ServerRequest:
        """Return the request that puts the conversation on the screen."""
        return ServerRequest("/tui/select-session", {"sessionID": self.session})

    def is_shown(self, lines: Sequence[str]) -> bool | None:
        """Whether a conversation is on its screen, and not its first page; None: it has drawn neither."""
        if not any(_DRAWN in line for line in lines):
            return None
        return not any(_FIRST_PAGE in line for line in lines)

    def listing(self, most: int) -> Sequence[ServerRequest]:
        """Return the requests behind each connection; `most`: messages, the newest."""
        messages = f"/session/{_path(self.session)}/message?limit={most}"
        return tuple(map(ServerRequest, (_STATUS, "/permission", "/question", messages)))

    def message(self, text: str, uuid: str, words: Sequence[str]) -> ServerRequest:
        """A prompt; `words`: texts that its model reads before it, and the screen does not show."""
        parts = [{"type": "text", "text": one, "synthetic": True} for one in words]
        parts.append({"type": "text", "text": text, "metadata": {MARK: uuid}})
        body: dict[str, Any] = {"parts": parts}
        agent = self._agent or (OPENCODE.modes[READ_ONLY] if self._mode == READ_ONLY else "")
        if agent:
            body["agent"] = agent
        if words and self._request.agent.model:  # later the model is the one of the message before
            provider, _, model = self._request.agent.model.partition("/")
            body["model"] = {"providerID": provider, "modelID": model}
        return ServerRequest(f"/session/{_path(self.session)}/prompt_async", body)

    @property
    def _mode(self) -> str | None:
        return self._request.agent.permission_mode

    def interrupt(self) -> ServerRequest:
        """The end of the turn."""
        return ServerRequest(f"/session/{_path(self.session)}/abort", {})

    def answer(self, asked: Asked, decision: Decision) -> ServerRequest:
        """The answer to a question: once, whatever the person wants for later, which our own rules see to."""
        denied = decision.behaviour is Behaviour.DENY
        if asked.need is AgentNeed.QUESTION:
            where, answers = f"/question/{_path(asked.request)}", {} if denied else _answers(asked, decision)
            return ServerRequest(f"{where}/{'reject' if denied else 'reply'}", answers)
        body = {"reply": "reject" if denied else "once"}
        if denied and decision.message:  # with words its turn goes on
            body["message"] = decision.message
        return ServerRequest(f"/permission/{_path(asked.request)}/reply", body)

    # what it says

    def settle(self, replies: Sequence[object], standing: Standing) -> Sequence[Fact]:
        """Return the news in the replies to `listing`, which may have been told before."""
        return tuple(self._settle(replies, standing))

    def parse(self, line: bytes) -> Sequence[Fact]:
        """The facts of one line of its events. Never raises; unknown lines tell none."""
        if _SKIPPED.match(line) or not line.startswith(b"data:"):
            return ()
        found = read_object(line.removeprefix(b"data:"))
        return tuple(self._hear(found)) if isinstance(found, dict) else ()

    def looked_up(self, lookup: Lookup, reply: object) -> Sequence[Fact]:
        """The facts of what could not be told without a look."""
        told, found = lookup.found, reply if isinstance(reply, dict) else {}
        if lookup.path == _STATUS:
            works = text_at(object_at(found, self.session), "type") in {_BUSY, _RETRY}
            return () if works or not self._in_turn else (self._ended(),)
        if text_at(told, "type") == "message.part.updated":
            part = object_at(object_at(told, "properties"), "part")
            self._know(_id_at(part, "sessionID"), is_root=not text_at(found, "parentID"))
            return tuple(self._on_text(part))
        call = text_at(object_at(told, "tool"), "callID")
        part = next((one for one in objects_at(found, "parts") if text_at(one, "callID") == call), {})
        return (self._permission(told, object_at(object_at(part, "state"), "input")),)

    def _hear(self, found: Object) -> Iterator[Fact]:
        properties = object_at(found, "properties")
        match text_at(found, "type"):
            case "session.created" | "session.updated":
                info = object_at(properties, "info")
                self._know(_id_at(info, "id"), is_root=not text_at(info, "parentID"))
            case "message.updated":
                yield from self._on_message(object_at(properties, "info"))
            case "message.part.updated":
                yield from self._on_part(found, object_at(properties, "part"))
            case "session.status" if _id_at(properties, "sessionID") == self.session:
                yield from self._on_status(object_at(properties, "status"))
            case "session.error" if _id_at(properties, "sessionID") == self.session:
                yield from self._on_error(object_at(properties, "error"))
            case "permission.asked":
                yield from self._ask(properties)
            case "question.asked":
                yield from _question(properties)
            case "permission.replied" | "question.replied" | "question.rejected":
                if request := _id_at(properties, "requestID"):
                    yield AskCancelled(request)

    def _know(self, session: str, *, is_root: bool) -> None:
        if session and len(self._roots) < MOST_KNOWN:
            self._roots[session] = is_root

    def _on_message(self, info: Object) -> Iterator[Fact]:
        """A message is there, or has changed; a copy of an old one is no news."""
        name, time = _id_at(info, "id"), object_at(info, "time")
        if not name or (number_at(time, "created") or 0.0) / _MILLISECONDS < self._since:
            return
        if text_at(info, "role") == "user":
            if name > self._newest and len(self._people) < MOST_KNOWN:
                self._people.add(name)
            if _id_at(info, "sessionID") == self.session:
                yield from self._chosen(info)
        elif number_at(time, "completed") is not None and not _is_copy(name, number_at(time, "created") or 0.0):
            yield from self._call(info)

    def _chosen(self, info: Object) -> Iterator[Fact]:
        """The agent and the model that a person's message is for."""
        model = object_at(info, "model")
        self._agent = text_at(info, "agent")[:MOST_KNOWN]
        names = [text_at(model, key) for key in ("providerID", "modelID")]
        if all(names):
            yield SessionNamed(self.session, one_line("/".join(names)))

    def _call(self, info: Object) -> Iterator[Fact]:
        """A call of its model has ended. An error of an earlier turn, which was interrupted, may come late."""
        name, usage, cost = _id_at(info, "id"), _usage(object_at(info, "tokens")), number_at(info, "cost")
        if (error := object_at(info, "error")) and name > self._newest and _id_at(info, "sessionID") == self.session:
            self._wrong = error
        if usage != TokenUsage():
            usd = None if cost is None or cost < 0 else cost
            yield ModelCalled(name, usage, usd, final=text_at(info, "finish") == "stop")

    def _on_part(self, found: Object, part: Object) -> Iterator[Fact]:
        """A part of a message is there, or has changed."""
        kind, session, message = text_at(part, "type"), _id_at(part, "sessionID"), _id_at(part, "messageID")
        if kind == "tool" and session:
            yield from self._on_tool(part)
        elif kind in {"text", "reasoning"} and message in self._people:
            if session == self.session or session in self._roots:
                yield from self._on_text(part)
            elif session:
                yield Lookup(f"/session/{session}", found)
        elif session == self.session and message > self._newest and "end" in object_at(part, "time"):
            text = text_at(part, "text")
            self._text = self._text if kind == "reasoning" else text
            yield TextSpoken(text, thought=kind == "reasoning")

    def _on_text(self, part: Object) -> Iterator[Fact]:
        """The text of a message of ours, or of a person's, who may have begun another conversation with it."""
        session, message = _id_at(part, "sessionID"), _id_at(part, "messageID")
        if part.get("synthetic") is True or part.get("ignored") is True:
            return
        self._people.discard(message)
        self._newest = max(self._newest, message)
        uuid = text_at(object_at(part, "metadata"), MARK)
        if session != self.session:
            if not self._roots.get(session):
                return
            self.session, self._in_turn, self._runs = session, False, False
            yield SessionNamed(session)
        if not self._in_turn or uuid:  # what a person adds to a turn belongs to that
            self._in_turn, self._text, self._wrong = True, "", None
            yield Echoed(text_at(part, "text"), uuid)

    def _on_tool(self, part: Object) -> Iterator[Fact]:
        """A use of a tool has begun or ended, by the conversation or by a helper of it."""
        call, state, session = text_at(part, "callID"), object_at(part, "state"), _id_at(part, "sessionID")
        status = text_at(state, "status")
        if status not in _USED or (session != self.session and self._roots.get(session, True)):
            return
        if call not in self._calls and len(self._calls) < MOST_KNOWN:
            told = _tool_of_call(call, text_at(part, "tool"), object_at(state, "input"), text_at(state, "title"))
            self._calls[call] = False
            yield tool_of(told, self._request.cwd).called
        if status == _RUNNING or self._calls.get(call, True):
            return
        self._calls[call] = True
        exited = number_at(object_at(state, "metadata"), "exit")
        code, error = None if exited is None else int(exited), text_at(state, "error")
        is_wrong = status == "error"
        yield ToolReturned(
            call,
            failed=is_wrong or bool(code),
            digest=digest(error or text_at(state, "output")),
            error=error_line(error) if is_wrong else "",
            exit_code=code,
            denied=is_wrong and error.startswith(_REFUSED),
        )

    def _on_status(self, status: Object) -> Iterator[Fact]:
        kind = text_at(status, "type")
        if kind == _BUSY:
            self._in_turn = self._runs = True
            self._wrong = None if self._wrong is _GIVEN_UP else self._wrong
            yield TurnBegan()
        elif kind == _RETRY:
            self._in_turn = self._runs = True
            self._wrong = _GIVEN_UP  # unless it goes on: no error tells of an interrupt in between
            until = number_at(status, "next")
            yield LimitReached(until and until / _MILLISECONDS, reason_of({"message": text_at(status, "message")}))
        elif kind == _IDLE and not self._in_turn:
            yield TurnEnded(None)
        elif kind == _IDLE and self._runs:  # an interrupted turn tells it twice, perhaps once in the next one
            yield Lookup(_STATUS, status)

    def _on_error(self, error: Object) -> Iterator[Fact]:
        """Why a turn ends; one that it has not begun to work on ends at once."""
        if self._runs:
            self._wrong = error
        elif text_at(error, "name") != _ABORTED:
            self._wrong = error
            yield self._ended()

    def _ended(self) -> TurnEnded:
        wrong, text = self._wrong, self._text
        self._in_turn, self._runs, self._text, self._wrong = False, False, "", None
        self._calls.clear()
        return TurnEnded(_result(text, wrong))

    def _ask(self, properties: Object) -> Iterator[Fact]:
        """A permission is asked for; how exactly its tool is used stands in the message."""
        request, session = _id_at(properties, "id"), _id_at(properties, "sessionID")
        message = _id_at(object_at(properties, "tool"), "messageID")
        if not request:
            return
        if session and message:
            yield Lookup(f"/session/{session}/message/{message}", properties)
        else:
            yield self._permission(properties, {})

    def _permission(self, asked: Object, given: Object) -> Asked:
        kind, about = text_at(asked, "permission"), object_at(asked, "metadata")
        patterns = [one for one in list_at(asked, "patterns") if isinstance(one, str)]
        known = {**given, **({"command": about["command"]} if "command" in about else {})}
        if path := text_at(about, "filepath"):
            known |= {"filePath": path}
        title = f"{kind}: {', '.join(patterns[:10])}" if patterns else kind
        told = _tool_of_call(text_at(object_at(asked, "tool"), "callID"), kind, known, title)
        tool = tool_of(told, self._request.cwd)
        subject = dict(tool.subject)
        if tool.edits and not told["content"] and (diff := text_at(about, "diff")):
            subject["diff"] = diff
        return Asked(_id_at(asked, "id"), AgentNeed.PERMISSION, tool.name, tool.summary, subject)

    def _settle(self, replies: Sequence[object], standing: Standing) -> Iterator[Fact]:
        status, permissions, questions, messages = (*replies, None, None, None, None)[:4]
        self._since = standing.since
        yield from self._look_back(_objects(messages), standing)
        found = object_at(status, self.session) if isinstance(status, dict) else {}
        self._in_turn = self._in_turn or standing.in_turn
        if text_at(found, "type") in {_BUSY, _RETRY}:
            yield from self._on_status(found)
        else:
            yield self._ended() if self._in_turn else TurnEnded(None)
        listed = {name: one for one in _objects(permissions) if (name := _id_at(one, "id"))}
        asked = {name: one for one in _objects(questions) if (name := _id_at(one, "id"))}
        for request in sorted(standing.asked - listed.keys() - asked.keys()):
            yield AskCancelled(request)
        for name, one in (*listed.items(), *asked.items()):
            if name not in standing.asked:
                yield from self._ask(one) if name in listed else _question(one)

    def _look_back(self, messages: Iterable[Object], standing: Standing) -> Iterator[Fact]:
        """The newest messages, oldest first: whether the awaited one is among them, and what calls have used."""
        oldest = min(standing.counted, default="")
        for whole in messages:
            info, parts = object_at(whole, "info"), objects_at(whole, "parts")
            name, time = _id_at(info, "id"), object_at(info, "time")
            is_new = bool(name) and (number_at(time, "created") or 0.0) / _MILLISECONDS >= standing.since
            if not is_new:
                continue
            texts = [one for one in parts if text_at(one, "type") == "text" and one.get("synthetic") is not True]
            if text_at(info, "role") == "user":
                self._text, self._wrong = "", None
                yield from self._chosen(info)
                ours = next((one for one in texts if text_at(object_at(one, "metadata"), MARK)), {})
                if standing.awaited and text_at(object_at(ours, "metadata"), MARK) == standing.awaited:
                    self._in_turn = True
                    yield Echoed(text_at(ours, "text"), standing.awaited)
                continue
            self._text = next((text_at(one, "text") for one in reversed(texts)), "") or self._text
            self._wrong = object_at(info, "error") or None
            if number_at(time, "completed") is not None and name >= oldest:
                yield from self._call(info)


class Opencode(AcpProvider):
    """The `opencode` program: over its pipes, and on a terminal with a server of its own."""

    modes = frozenset(AgentMode)
    serves = True

    def __init__(self) -> None:
        super().__init__(OPENCODE)

    def refuse(self, agent: Agent) -> str | None:
        """Name arguments, too, that would undo ours on its screen."""
        named = [one.partition("=")[0] for one in agent.arguments]
        problems = [f"--agent-arg {one} conflicts with an argument that Overmind sets" for one in named if one in OURS]
        return "; ".join(filter(None, (super().refuse(agent), *problems))) or None

    def launch(self, start: LaunchRequest) -> Launch:
        """Its pipes, or its screen with the port of this run."""
        launch = super().launch(start)
        if start.mode is not AgentMode.INTERACTIVE:
            return launch
        program = (start.agent.program or self.program, *start.agent.program_arguments)
        return launch_on_screen(start, program, launch.environment)

    def serve(self, request: ConnectionRequest) -> OpencodeServer:
        """Return the one that talks with the server of one run."""
        return OpencodeServer(request, partial(read_servers, request.agent.mcp_config, request.read))

    def draft(self, lines: Sequence[str]) -> str:
        """Text in the box at the end of the screen, whose last line names its agent and model."""
        shown = [line.strip() for line in lines]
        ends = [y for y, line in enumerate(shown) if line.startswith("╹▀")]
        box = list(takewhile(lambda line: line.startswith("┃"), reversed(shown[: ends[-1]]))) if ends else []
        text = "\n".join(line[1:].strip() for line in reversed(box[1:])).strip()
        return "" if text.startswith(_FIRST_PAGE) else text

    def hidden_words(self, notes: str | None, instructions: str | None) -> Sequence[str]:
        """Notes and instructions, framed as over its pipes."""
        return framed_words(notes, instructions)


def _path(name: str) -> str:
    """A name as a part of a path; one that is none leads nowhere."""
    return name if _ID.fullmatch(name) else "-"


def _id_at(found: Object, key: str) -> str:
    name = text_at(found, key)
    return name if _ID.fullmatch(name) else ""


def _is_copy(name: str, created: float) -> bool:
    """Whether a message that was created then (milliseconds since the epoch) got its name much later."""
    named = _TIMED.match(name)
    return named is not None and _COPIED < (int(named[1], 16) - int(created)) % _WRAP < _WRAP // 2


def _objects(reply: object) -> list[Object]:
    return [one for one in reply if isinstance(one, dict)] if isinstance(reply, list) else []


def _usage(tokens: Object) -> TokenUsage:
    """Tokens; those thought are among the others where their sum says so."""
    cache = object_at(tokens, "cache")
    read, written = count_at(cache, "read"), count_at(cache, "write")
    used, said, thought = (count_at(tokens, key) for key in ("input", "output", "reasoning"))
    beside = count_at(tokens, "total") - used - read - written
    return TokenUsage(used, said if beside == said else said + thought, read, written)


def _tool_of_call(call: str, tool: str, given: Object, title: str) -> dict[str, Any]:
    """A use of a tool, in the words of its pipes."""
    kind, path = _KINDS.get(tool, "other"), text_at(given, "filePath")
    content: list[dict[str, str]] = []
    if kind == "edit" and path and isinstance(given.get("content"), str):
        content = [{"type": "diff", "path": path, "oldText": "", "newText": given["content"]}]
    elif kind == "edit" and path and text_at(given, "oldString"):
        texts = {"oldText": text_at(given, "oldString"), "newText": text_at(given, "newString")}
        content = [{"type": "diff", "path": path, **texts}]
    return {"toolCallId": call, "kind": kind, "title": title or tool, "rawInput": given, "content": content}


def _question(properties: Object) -> Iterator[Fact]:
    """Questions of a choice, in the fields that the inbox knows."""
    if not (request := _id_at(properties, "id")):
        return
    asked = [
        {
            "question": text_at(one, "question"),
            "header": text_at(one, "header"),
            "options": [
                {key: text_at(option, key) for key in ("label", "description")} for option in objects_at(one, "options")
            ],
            "multiSelect": one.get("multiple") is True,
        }
        for one in objects_at(properties, "questions")
    ]
    summary = one_line(" ".join(str(one["question"]) for one in asked)) or "It asks a question"
    yield Asked(request, AgentNeed.QUESTION, _QUESTION, summary, {"questions": asked})


def _answers(asked: Asked, decision: Decision) -> dict[str, Any]:
    """Return the choice for each question: its labels, or the person's own words where none was."""
    words = [decision.message] if decision.message else []
    labels = decision.chosen or ((),) * len(objects_at(asked.subject, "questions"))
    return {"answers": [[*one] or words for one in labels]}


def _result(text: str, wrong: Object | None) -> TurnResult:
    if wrong is None:
        return TurnResult(ok=True, text=text, raw={"status": "completed", "result": text})
    data = object_at(wrong, "data")
    name, words = text_at(wrong, "name"), one_line(text_at(data, "message") or text_at(wrong, "message"), 1000)
    code = count_at(data, "statusCode")
    if name == _ABORTED:
        reason = "interrupted"
    elif name == "ProviderAuthError":
        reason = "not_logged_in"
    elif name == "MessageOutputLengthError":
        reason = "max_tokens"
    else:
        reason = f"api_error {code}" if code else reason_of({"message": words})
    retry = Retry.NEVER if reason in FINAL else Retry.POLICY
    raw = {"status": "failed", "error": {"name": name, "message": words}, "result": text}
    return TurnResult(ok=False, reason=reason, text=words, retry=retry, raw=raw)


def _server(server: McpServer) -> dict[str, Any]:
    """A server of tools as its configuration has it."""
    if server.kind == STDIO:
        command = [server.command, *server.arguments]
        return {"type": "local", "command": command, "environment": dict(server.environment)}
    assert server.kind != HTTP or server.url
    return {"type": "remote", "url": server.url, "headers": dict(server.headers)}
