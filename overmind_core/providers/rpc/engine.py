"""JSON-RPC over a program's pipes: what all dialects share. Lines in, facts and what we owe for them out. Pure.

A conversation is opened first, one request answered before the next one is asked; then a turn is one prompt, and its
answer the sum of its pieces of text. Ids of our requests carry their meaning; the program's come back as they were.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent_events import (
    AgentFact,
    ModelCalled,
    NotOpened,
    Owed,
    PlainLine,
    Retry,
    Retrying,
    TextSpoken,
    TokenUsage,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.lines import (
    Object,
    digest,
    error_line,
    number_at,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc.tools import merged, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import ClassVar

    from overmind_core.providers.base import ConnectionRequest

METHOD_NOT_FOUND = -32601
AUTH_REQUIRED = -32000
"""Source: JSON-RPC 2.0, and the codes of the Agent Client Protocol."""
LONGEST_ANSWER = 4 * 1024 * 1024
"""Characters of an answer; the log has all of it."""
MOST_CALLS = 1000
"""Tool calls of a turn that are known."""
LONGEST_ID = 512
"""Characters of a conversation's name."""
WRONG_START = "wrong_start"
"""The reason of a run whose program has not the conversation that it was to go on with, or to copy."""
NO_CONVERSATION = "no_conversation"
"""The reason of a run whose program did not open a conversation, for none of the reasons that have a name."""
FINAL = frozenset({"not_logged_in", "usage_error"} | {f"api_error {status}" for status in (400, 401, 403, 404, 413)})
"""Reasons with which another run would end the same way."""
PROMPT = "m"
"""The id of a prompt; it goes on with its uuid."""
_STATUS = re.compile(r"\b(4\d\d|5\d\d)\b")
_NOT_LOGGED_IN = re.compile(r"api[ _]key|not logged in|authenticat|unauthorized|log in", re.IGNORECASE)
_OVER = frozenset({"completed", "failed"})


def written(message: Mapping[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def refused(found: Object) -> Owed:
    """Return the reply to a request that nobody here knows."""
    error = {"code": METHOD_NOT_FOUND, "message": "Method not found"}
    return Owed(written({"jsonrpc": "2.0", "id": found["id"], "error": error}))


class RpcConnection:
    """The talk with the program of one run, in one dialect.

    Remembers one turn at most; a dialect knows its requests, its notices and the replies to ours.
    """

    steps: ClassVar[Mapping[str, Callable[[Any, Object], Iterator[AgentFact]]]] = {}
    """The step behind the reply to each request of the opening, by its id."""

    def __init__(self, request: ConnectionRequest, first: str) -> None:
        """Begin with the request `first` asked, or in the middle of a turn."""
        self.request = request
        self.session = request.session if request.resume else ""
        """The conversation's name; "" before the program has told it."""
        self.model: str | None = None
        self.mode: str | None = None
        self.awaited = "" if request.in_turn else first
        """The id of the request that the next step of opening waits for; "": there is none."""
        self.expects = request.in_turn
        """A prompt is on its way: what is said and done belongs to its turn. What comes late belongs to none, for no
        reply would end it."""
        self.prompt = f"{PROMPT}{request.message}" if request.message else ""
        """The id of the prompt on its way; "": any is taken for that."""
        self.turn = Turn(request.cwd)
        self.settles = False

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line of its output."""
        found = read_object(line)
        if isinstance(found, str):
            return (PlainLine(found),) if found.strip() else ()
        if "method" in found:
            facts = self.on_request(found) if "id" in found else self.on_notice(found)
        else:
            facts = self.on_reply(found)
        return tuple(facts)

    @property
    def name(self) -> str:
        """The conversation's name, or the one that it was to have."""
        return self.session or self.request.session

    def on_request(self, found: Object) -> Iterator[AgentFact]:
        """The program wants something of us."""
        yield refused(found)

    def on_notice(self, found: Object) -> Iterator[AgentFact]:
        """The program tells something."""
        del found
        yield from ()

    def on_answer(self, found: Object) -> Iterator[AgentFact]:
        """The reply to a prompt."""
        del found
        yield from ()

    def on_reply(self, found: Object) -> Iterator[AgentFact]:
        """The reply to a request of ours."""
        request = found.get("id")
        if not isinstance(request, str):
            return
        if request and request == self.awaited:
            self.awaited = ""
            yield from self.steps[request](self, found)
        elif request.startswith(PROMPT) and request not in self.steps and self.prompt in {"", request}:
            yield from self.on_answer(found)

    def settled(self) -> Iterator[AgentFact]:
        """The program has told all that it tells again."""
        yield from ()

    def ask(self, request: str, method: str, params: Mapping[str, Any]) -> Owed:
        """Return the next request of the opening."""
        self.awaited = request
        return Owed(written({"jsonrpc": "2.0", "id": request, "method": method, "params": params}))

    def expect(self, uuid: str) -> str:
        """Prepare for the answer to a prompt that is about to be written, and return the id of that."""
        self.expects, self.turn = True, Turn(self.request.cwd)
        self.prompt = f"{PROMPT}{uuid}"
        return self.prompt

    def begin(self) -> Iterator[AgentFact]:
        """The turn shows itself for the first time."""
        if self.expects and not self.turn.began:
            self.turn.began = True
            yield TurnBegan()

    def say(self, text: str, *, thought: bool, notice: re.Pattern[str] | None = None) -> Iterator[AgentFact]:
        """A piece of text of the turn."""
        if text and self.expects:
            yield from self.begin()
            yield from self.turn.add(text, notice, thought=thought)

    def use(self, told: Object, *, is_asked: bool = False) -> Iterator[AgentFact]:
        """What was told of a use of a tool in the turn."""
        if self.expects:
            yield from self.begin()
            yield from self.turn.spoken()
            yield from self.turn.call(told, is_asked=is_asked)

    def over(self) -> Iterator[AgentFact]:
        """The turn is about to end: hand on what is left of it."""
        yield from self.begin()
        yield from self.turn.spoken()


class Turn:
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
        self.usage = TokenUsage()
        """What its calls of the model have used, where the program tells that call by call."""
        self._model_calls = 0
        self.cost: float | None = None
        """US dollars of the conversation, as the program told last."""
        self.wrong = ""
        """What the program itself said last of an error."""

    def called(self, usage: TokenUsage) -> ModelCalled:
        """Count a call of the model."""
        self.usage = plus(self.usage, usage)
        self._model_calls += 1
        return ModelCalled(str(self._model_calls), usage)

    def add(self, text: str, notice: re.Pattern[str] | None, *, thought: bool) -> Iterator[AgentFact]:
        """Take in a piece of text, and hand its whole lines on; `notice` as in a row."""
        is_notice = None if notice is None or thought else notice.match(text)
        self.wrong = (is_notice["error"] or "") if is_notice else ""
        if is_notice:
            yield from self.spoken()
        if is_notice and is_notice["retry"]:
            yield from (TextSpoken(text), Retrying(0, 0, 0.0, one_line(text)))
            return
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

    def call(self, told: Object, *, is_asked: bool) -> Iterator[AgentFact]:
        """Take in what was told of a use of a tool, and tell it once it is known what it does, and how it ended."""
        name = text_at(told, "toolCallId")
        is_over = name in self._told and name not in self.calls
        if not name or is_over or (name not in self.calls and len(self._told) >= MOST_CALLS):
            return
        whole = self.calls[name] = merged(self.calls.get(name, {}), told)
        status = text_at(whole, "status")
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

    @property
    def answer(self) -> str:
        """All that was said, a paragraph for each block."""
        return "\n\n".join(block.strip("\n") for block in self._blocks).strip()


def stored_result(found: Object) -> TurnEnded | None:
    """Return the end of a turn as its result was stored; None: the object is none."""
    if found.keys() & {"jsonrpc", "id", "method"} or not found.keys() & {"stopReason", "status", "error"}:
        return None
    return TurnEnded(TurnResult(ok="error" not in found, text=text_at(found, "result"), raw=found))


def plus(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    """Return the sum."""
    return TokenUsage(*(a + b for a, b in zip(one, other, strict=True)))


def _content(whole: Object) -> str:
    """The texts of a tool's answer."""
    pieces = [object_at(one, "content") for one in objects_at(whole, "content")]
    return "\n".join(text for piece in pieces if (text := text_at(piece, "text")))


def error_of(found: Object) -> Object | None:
    """Return why a request has failed; None: it has not."""
    return object_at(found, "error") if "error" in found and found["error"] is not None else None


def error_text(error: Object) -> str:
    """Return what an error says, in one line."""
    data = object_at(error, "data")
    details = text_at(data, "details") or text_at(data, "message")
    return one_line(": ".join(filter(None, (text_at(error, "message"), details))), 1000) or "it gave no reason"


def reason_of(error: Object) -> str:
    """Return an error as reasons of missions are written."""
    code, text = number_at(error, "code"), error_text(error)
    if code == AUTH_REQUIRED or _NOT_LOGGED_IN.search(text):
        return "not_logged_in"
    status = _STATUS.search(str(int(code)) if code is not None and code > 0 else "") or _STATUS.search(text)
    return f"api_error {status[1]}" if status else "api_error"


def not_opened(error: Object | None, text: str) -> NotOpened:
    """Return that there is no conversation: because of `error`, or as `text` says."""
    if error is None:
        return NotOpened(TurnResult(ok=False, reason=NO_CONVERSATION, text=text, retry=Retry.NEVER))
    reason = reason_of(error)
    reason = reason if reason == "not_logged_in" else NO_CONVERSATION
    retry = Retry.NEVER if reason in FINAL else Retry.POLICY
    return NotOpened(TurnResult(ok=False, reason=reason, text=error_text(error), retry=retry))


def gone(text: str) -> NotOpened:
    """The conversation is not there: the next run begins one, and says so."""
    return NotOpened(TurnResult(ok=False, reason=WRONG_START, text=text, retry=Retry.SWITCH))


def not_copied(error: Object) -> NotOpened:
    """The conversation can't be copied: another run would end the same way."""
    reason = reason_of(error)
    reason = reason if reason == "not_logged_in" else WRONG_START
    text = f"the conversation was not copied: {error_text(error)}"
    return NotOpened(TurnResult(ok=False, reason=reason, text=text, retry=Retry.NEVER))
