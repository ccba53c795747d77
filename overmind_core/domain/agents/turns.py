"""Turns and questions of a conversation: how they begin, go on and end. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import Activity, ActivityKind, ActivitySource, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Echoed, Retry, ToolCalled, TurnBegan, TurnResult
from overmind_core.domain.agents.conversation import (
    Conversation,
    FailedMessage,
    OpenQuestion,
    ToolCall,
    Turn,
    may_copy_again,
)
from overmind_core.domain.agents.conversation_events import (
    Answered,
    AskClosed,
    Asking,
    AskOpened,
    CloseInput,
    MessageMoved,
    Notify,
    Step,
    WriteAnswer,
)
from overmind_core.domain.agents.events import AnswerFound, PromptGiven
from overmind_core.domain.agents.limits import held_back, with_limit
from overmind_core.domain.agents.spending import has_usage, result_paid, with_usage

if TYPE_CHECKING:
    from overmind_core.domain.agents.prices import Price

LONGEST_LINE = 200
"""Characters of one line that says what an agent does."""
LONGEST_SHOWN = 64 * 1024
"""Characters of what was said on a terminal that its log repeats."""


def asking(c: Conversation, fact: Asking, now: float, source: ActivitySource) -> Step:
    """The program asks; a rule may answer at once."""
    if fact.ruled is not None:
        decision, rule = fact.ruled
        closed = AskClosed(fact.number, decision, f"rule {rule}")
        activity = Activity(ActivityKind.WORKING, since(c, ActivityKind.WORKING, now), source, f"⚙ {fact.summary}")
        ruled = c if c.open or _is_between_turns(c) else replace(c, activity=activity)
        return ruled, (closed, WriteAnswer(fact.number, decision))
    calls = c.turn.calls if c.turn is not None else ()
    call = next((one.call for one in reversed(calls) if one.summary == fact.summary), "")
    asked = OpenQuestion(fact.number, fact.request, fact.need, one_line(fact.summary), call)
    activity = Activity(ActivityKind.WAITING, since(c, ActivityKind.WAITING, now), source, asked.summary, fact.need)
    first = not c.open
    c = replace(c, open=(*c.open, asked), activity=c.activity if c.open else activity)
    return c, (AskOpened(fact.number), *((Notify("blocked"),) if first else ()))


def answered(c: Conversation, fact: Answered, now: float, source: ActivitySource) -> Step:
    """A question was answered; one that is not open any more stays as it is."""
    found = [one for one in c.open if one.number == fact.number]
    if not found:
        return c, ()
    c = _closed(c, found, now, source)
    return c, (AskClosed(fact.number, fact.decision, fact.by), WriteAnswer(fact.number, fact.decision))


def close(c: Conversation, gone: list[OpenQuestion], now: float, source: ActivitySource) -> Step:
    """Withdraw questions that answered themselves."""
    if not gone:
        return c, ()
    return _closed(c, gone, now, source), tuple(AskClosed(one.number) for one in gone)


def _closed(c: Conversation, gone: list[OpenQuestion], now: float, source: ActivitySource) -> Conversation:
    left = tuple(one for one in c.open if one not in gone)
    if left:
        activity = Activity(ActivityKind.WAITING, c.activity.since, source, left[0].summary, left[0].need)
    else:
        free = _is_between_turns(c) or (c.turn is None and any(one.need is AgentNeed.DRAFT for one in gone))
        doing = ActivityKind.IDLE if free else ActivityKind.WORKING
        activity = Activity(doing, now, source, "" if free else gone[0].summary)
    return replace(c, open=left, activity=activity)


def _is_between_turns(c: Conversation) -> bool:
    """Return whether a session on pipes has nothing to do: an answer to what it asks then begins no turn."""
    return c.mode is AgentMode.HEADLESS and c.turn is None and c.sending is None and not c.opening


def since(c: Conversation, doing: ActivityKind, now: float) -> float:
    """Since when it has been doing that, seconds since the epoch; `now` when it begins."""
    return c.activity.since if c.activity.doing is doing else now


def one_line(text: str) -> str:
    """The first line with something on it; one that is too long is cut between two words, with a mark."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(line) <= LONGEST_LINE:
        return line
    begin = line[: LONGEST_LINE - 2]
    words = begin.rpartition(" ")[0].rstrip()
    return f"{words} …" if len(words) > LONGEST_LINE // 2 else f"{begin}…"  # else a word is most of it


LONG_TURN = 30.0
"""Seconds after which the end of a turn is worth a notification."""
INTERRUPTED = "interrupted"
"""The reason of a turn that a person has interrupted, who knows of it."""
MOST_CALLS = 64
"""Tool calls under way that are remembered."""


def turn_began(c: Conversation, fact: TurnBegan | Echoed, now: float, source: ActivitySource) -> Step:
    """A message of ours has reached the agent, a person has typed one, or it works by itself."""
    text = fact.text if isinstance(fact, Echoed) else ""
    # A copy is not whole yet when the program takes its first message: see `mark_reached`.
    c = replace(c, begun=c.begun or not may_copy_again(c), switched=False, failed=None)
    typed_by_us = c.mode is not AgentMode.INTERACTIVE or (isinstance(fact, Echoed) and fact.uuid == str(c.sending))
    if c.sending is not None and typed_by_us:
        message = c.sending
        c = replace(c, sending=None, turn=Turn(message, now))
        return working(_fresh(c), text, now, source), (MessageMoved(message, "delivered"),)
    if isinstance(fact, Echoed) and c.mode is AgentMode.INTERACTIVE:
        closed, effects = close(c, list(c.open), now, source)
        said = (PromptGiven(text=f"[human] {text[:LONGEST_SHOWN]}"),) if text.strip() else ()
        return working(_fresh(replace(closed, turn=Turn(None, now))), text, now, source), (*effects, *said)
    if c.turn is None:
        c = _fresh(replace(c, turn=Turn(None, now)))
    return working(c, "", now, source), ()


def mark_reached(c: Conversation, mark: str) -> Conversation:
    """The turn has got somewhere: a program that began with a copy has been answered, and stores what it holds."""
    return c if c.turn is None else replace(c, begun=c.begun or may_copy_again(c), turn=replace(c.turn, mark=mark))


def working(c: Conversation, line: str, now: float, source: ActivitySource) -> Conversation:
    """It does something; a question that is open stays what it is doing."""
    if c.turn is None:
        c = replace(c, turn=Turn(None, now))
    if c.open:
        return c
    text = one_line(line) or c.activity.now
    return replace(c, activity=Activity(ActivityKind.WORKING, since(c, ActivityKind.WORKING, now), source, text))


def tool_called(c: Conversation, fact: ToolCalled, now: float, source: ActivitySource) -> Step:
    """It uses a tool."""
    c = working(c, f"⚙ {fact.summary}", now, source)
    assert c.turn is not None
    calls = (*c.turn.calls, ToolCall(fact.call, fact.summary))[-MOST_CALLS:]
    return replace(c, turn=replace(c.turn, calls=calls)), ()


def tool_returned(c: Conversation, call: str, now: float, source: ActivitySource) -> Step:
    """The tool has answered; what was asked about it is settled."""
    gone = [one for one in c.open if call and one.call == call]
    c, effects = close(c, gone, now, source)
    c = working(c, "", now, source)
    assert c.turn is not None
    calls = tuple(one for one in c.turn.calls if one.call != call)
    return replace(c, turn=replace(c.turn, calls=calls)), effects


def turn_ended(
    c: Conversation,
    result: TurnResult | None,
    now: float,
    source: ActivitySource,
    text: str = "",
    *,
    price: Price | None = None,
) -> Step:
    """The turn is over; `result` is None where only that is known, and perhaps a `text` about it."""
    if result is None and c.turn is None:
        rests = (
            c.mode is AgentMode.INTERACTIVE
            and c.activity.doing is not ActivityKind.IDLE
            and not c.open
            and c.sending is None
        )
        return (replace(c, activity=Activity(ActivityKind.IDLE, now, source, one_line(text))) if rests else c), ()
    if source in {ActivitySource.TITLE, ActivitySource.STATUS} and c.open:  # a title is the same while it asks
        return c, ()
    if result is not None and result.retry is Retry.SWITCH:  # it has begun nothing, and read nothing
        return replace(c, last=replace(result, raw={}, text="")), ()
    counted = c.mode is AgentMode.INTERACTIVE and result is not None and not has_usage(result)
    result = None if result is None else with_usage(c, result, now, price)
    c, result = with_limit(c, result, now)
    closed, effects = close(c, list(c.open), now, source)
    message = c.turn.message if c.turn is not None else c.sending if result is not None else None
    lasted = now - c.turn.began if c.turn is not None else 0.0
    turn = c.turn
    c = replace(closed, turn=None, sending=None if message == closed.sending else closed.sending)
    if turn is not None and result is not None and result.ok and result.text and c.mode is AgentMode.INTERACTIVE:
        effects = (*effects, AnswerFound(text=result.text[:LONGEST_SHOWN]))
    if message is not None and result is not None and result.retry is Retry.WAIT and c.mode is not AgentMode.ONE_SHOT:
        c, held = held_back(c, message, result)
        effects = (*effects, *held)
    elif message is not None:
        ok = result is None or result.ok
        error = None if result is None or result.ok else result.reason or "failed"
        failed = None if error is None or error == INTERRUPTED else FailedMessage(message, error)
        c = replace(c, resent=others(c.resent, message), failed=failed)
        effects = (
            *effects,
            MessageMoved(message, "answered" if ok else "failed", error, result, turn.mark if turn else "", c.lost),
        )
    if result is not None:
        c, paid = result_paid(c, result, counted=counted)
        effects = (*effects, *paid)
    c = _with_end(c, turn, is_ok=result is None or result.ok)
    c = replace(c, activity=_resting(result, now, source, c.tries, text))
    if lasted >= LONG_TURN and c.mode is not AgentMode.ONE_SHOT:
        effects = (*effects, Notify("your_turn"))
    return c, ((*effects, CloseInput()) if c.mode is AgentMode.ONE_SHOT else effects)


def _with_end(c: Conversation, turn: Turn | None, *, is_ok: bool) -> Conversation:
    """The conversation behind a turn: one that began as a copy is stored, and the next copy can end here.

    A screen stores a turn that went wrong as well, and goes on behind it: where that is not whole, it is copied again.
    The place of a turn on a terminal has no name; one on pipes that has failed or was interrupted leaves it where it
    was.
    """
    if turn is None:
        return c
    kept = "" if c.mode is AgentMode.INTERACTIVE else c.mark
    c = replace(c, mark=(turn.mark if is_ok else "") or kept)
    is_stored = may_copy_again(c) and (is_ok or c.mode is AgentMode.INTERACTIVE)
    return replace(c, begun=True, copied=is_ok) if is_stored else c


def _fresh(c: Conversation) -> Conversation:
    """Another turn: what was last said, and how it went, belongs to the one before; a task has only one."""
    last = c.last if c.mode is AgentMode.ONE_SHOT else None
    return replace(c, activity=replace(c.activity, now=""), last=last)


def _resting(result: TurnResult | None, now: float, source: ActivitySource, tries: int, text: str) -> Activity:
    text = one_line(text) if result is None else one_line(result.text) if result.ok else result.reason or ""
    if result is not None and result.retry is Retry.WAIT:
        return Activity(ActivityKind.LIMITED, now, source, text, attempt=tries, resume_at=result.resume_at)
    return Activity(ActivityKind.IDLE, now, source, text)


def others(messages: tuple[int, ...], message: int) -> tuple[int, ...]:
    """All but one."""
    return tuple(one for one in messages if one != message)
