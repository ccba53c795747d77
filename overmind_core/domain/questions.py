"""Questions of a conversation: asked, answered by a rule or a person, or answered by themselves. Pure."""

from __future__ import annotations

from dataclasses import replace

from overmind_core.domain.activity import Activity, Doing, Source
from overmind_core.domain.conversation import Conversation, Open
from overmind_core.domain.talkfacts import Answered, AskClosed, Asking, AskOpened, Notify, Reply, Step

LONGEST_LINE = 200
"""Characters of one line that says what an agent does."""


def asking(c: Conversation, fact: Asking, now: float, source: Source) -> Step:
    """The program asks; a rule may answer at once."""
    if fact.ruled is not None:
        decision, rule = fact.ruled
        closed = AskClosed(fact.number, decision, f"rule {rule}")
        activity = Activity(Doing.WORKING, since(c, Doing.WORKING, now), source, f"⚙ {fact.summary}")
        ruled = c if c.open else replace(c, activity=activity)
        return ruled, (closed, Reply(fact.number, decision))
    calls = c.turn.calls if c.turn is not None else ()
    call = next((one.call for one in reversed(calls) if one.summary == fact.summary), "")
    asked = Open(fact.number, fact.request, fact.need, one_line(fact.summary), call)
    activity = Activity(Doing.WAITING, since(c, Doing.WAITING, now), source, asked.summary, fact.need)
    first = not c.open
    c = replace(c, open=(*c.open, asked), activity=c.activity if c.open else activity)
    return c, (AskOpened(fact.number), *((Notify("blocked"),) if first else ()))


def answered(c: Conversation, fact: Answered, now: float, source: Source) -> Step:
    """Somebody has answered; a question that is not open any more stays as it is."""
    found = [one for one in c.open if one.number == fact.number]
    if not found:
        return c, ()
    c = _closed(c, found, now, source)
    return c, (AskClosed(fact.number, fact.decision, fact.by), Reply(fact.number, fact.decision))


def close(c: Conversation, gone: list[Open], now: float, source: Source) -> Step:
    """Withdraw questions that answered themselves."""
    if not gone:
        return c, ()
    return _closed(c, gone, now, source), tuple(AskClosed(one.number) for one in gone)


def _closed(c: Conversation, gone: list[Open], now: float, source: Source) -> Conversation:
    left = tuple(one for one in c.open if one not in gone)
    if left:
        activity = Activity(Doing.WAITING, c.activity.since, source, left[0].summary, left[0].need)
    else:
        activity = Activity(Doing.WORKING, now, source, gone[0].summary)
    return replace(c, open=left, activity=activity)


def since(c: Conversation, doing: Doing, now: float) -> float:
    """Since when it has been doing that, seconds since the epoch; `now` when it begins."""
    return c.activity.since if c.activity.doing is doing else now


def one_line(text: str) -> str:
    """The first line with something on it."""
    return next((line.strip()[:LONGEST_LINE] for line in text.splitlines() if line.strip()), "")
