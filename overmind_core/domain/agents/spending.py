"""The cost of a conversation: what turns and calls of the model add to it, each counted once. Pure.

A program on pipes tells the cost of each turn in its result. One on a terminal writes down what each call has used, and
its own sum as it ends; until that comes, calls count at their list prices. Tokens and money have one base: what is
counted in one is counted in the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.agent_events import CostTotalled, ModelCalled, TokenUsage, TurnResult, UsageRead
from overmind_core.domain.agents.conversation import Conversation, ConversationFiles, Turn, TurnUsage, may_copy_again
from overmind_core.domain.agents.conversation_events import Step, TurnPaid
from overmind_core.domain.agents.events import TurnFinished

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_COUNTED = 64
"""Calls that are remembered, so that none counts twice."""
_NOTHING = TokenUsage()


def result_paid(c: Conversation, result: TurnResult, *, counted: bool) -> Step:
    """Count what the turn cost by its result; `counted`: its figures are those of calls that were counted already."""
    usd = result.cost_turn if counted else _price(c, result)
    finished = TurnFinished(
        ok=result.ok,
        reason=result.reason,
        cost_usd=round(usd or 0.0, 6),
        turns=result.turns,
        duration_ms=result.duration_ms,
    )
    c = replace(c, last=replace(result, raw={}, text=""), process_usage=result.process_usage or c.process_usage)
    if counted:
        return c, (finished,)
    c = replace(c, cost_total=c.cost_total if result.cost_total is None else result.cost_total)
    paid = TurnPaid(usd, result.usage, result.turns)
    return _added(c, paid), (paid, finished)


def has_usage(result: TurnResult) -> bool:
    """Whether the program itself says what the turn has used."""
    return result.usage != _NOTHING or result.cost_turn is not None or result.cost_total is not None


def usage_told(c: Conversation, fact: ModelCalled | UsageRead) -> Step:
    """The program says what calls have used: on pipes while a turn is under way, on a terminal in its files."""
    return _usage_read(c, fact) if isinstance(fact, UsageRead) else (_call_heard(c, fact), ())


def _call_heard(c: Conversation, call: ModelCalled) -> Conversation:
    """Remember what a call under way on pipes has used: it counts if the turn never comes to its result."""
    others = tuple(one for one in c.counted if one.call != call.call)
    return replace(c, counted=(*others, call)[-MOST_COUNTED:])


def _usage_read(c: Conversation, fact: UsageRead) -> Step:
    """Count the calls that the program has written down, and trust its own sum where it tells one."""
    if c.files is None or c.files.path != fact.path:
        return c, ()
    c = replace(c, files=replace(c.files, read=fact.positions))
    calls = [one for one in fact.figures if isinstance(one, ModelCalled)]
    totals = [one.usd for one in fact.figures if isinstance(one, CostTotalled)]
    paid, c = _calls_paid(c, calls)
    more = 0.0
    if totals:
        more = 0.0 if c.cost_total is None else max(0.0, totals[-1] - c.cost_total)
        c = replace(c, cost_total=max(totals[-1], c.cost_total or 0.0))
    if paid is None:
        paid = TurnPaid(more, _NOTHING, 0)
        return (_added(c, paid), (paid,)) if more else (c, ())
    whole = paid._replace(usd=more or None if paid.usd is None else paid.usd + more)
    return _added(c, whole), (whole,)


def lost_turn_paid(c: Conversation) -> Step:
    """Count what a turn on pipes had used when its program died: no result tells it any more."""
    if c.mode is AgentMode.INTERACTIVE or c.turn is None or not c.counted:
        return replace(c, counted=c.counted if c.mode is AgentMode.INTERACTIVE else ()), ()
    usd = _sum(one.usd for one in c.counted)
    usage = _usage_of(c.counted)
    paid = TurnPaid(usd, usage, len(c.counted))
    c = replace(c, counted=(), cost_total=None if c.cost_total is None else c.cost_total + (usd or 0.0))
    return _added(c, paid), (paid,)


def with_usage(c: Conversation, result: TurnResult, now: float) -> TurnResult:
    """The end of a turn, with what it has used where the program tells something else.

    Of a turn on a terminal it tells only that it is over; another one tells what its process has used.
    """
    if result.process_usage is not None:
        return replace(result, usage=result.process_usage.since(c.process_usage))
    if c.mode is not AgentMode.INTERACTIVE or c.turn is None or has_usage(result):
        return result
    used = c.turn.used
    lasted = (now - c.turn.began) * 1000.0
    return replace(result, usage=used.usage, cost_turn=used.usd, turns=used.calls, duration_ms=lasted)


def files_at(c: Conversation, path: str, since: float) -> Conversation:
    """The conversation with its record at `path`; one that was read already is read on."""
    known = c.files is not None and c.files.path == path
    return c if known else replace(c, files=ConversationFiles(path, since))


def cost_of(c: Conversation) -> float | None:
    """US dollars of all turns; None when nobody knows the price of any."""
    return None if c.unpriced and not c.cost else c.cost


def _calls_paid(c: Conversation, calls: Iterable[ModelCalled]) -> tuple[TurnPaid | None, Conversation]:
    """What the calls add to those that were counted."""
    counted = {one.call: one for one in c.counted}
    usage, usd, number, changed, final = _NOTHING, 0.0, 0, False, False
    known = True
    for call in calls:
        before = counted.pop(call.call, None)
        counted[call.call] = call
        final = final or call.final
        if before is not None and before.usage == call.usage:
            continue
        changed = True
        number += before is None
        usage = _plus(usage, call.usage if before is None else _minus(call.usage, before.usage))
        known = known and call.usd is not None
        usd += (call.usd or 0.0) - (0.0 if before is None else before.usd or 0.0)
    c = replace(c, counted=tuple(counted.values())[-MOST_COUNTED:])
    if c.turn is not None and (changed or final):
        c = replace(c, turn=_used(c.turn, usage, usd if known else None, number, final=final))
    if not changed:
        return None, c
    if c.cost_total is not None:
        c = replace(c, cost_total=c.cost_total + usd)
    return TurnPaid(usd if known or usd else None, usage, number), replace(c, unpriced=c.unpriced or not known)


def _used(turn: Turn, usage: TokenUsage, usd: float | None, calls: int, *, final: bool) -> Turn:
    used = turn.used
    both = None if usd is None or used.usd is None else used.usd + usd
    return replace(turn, used=TurnUsage(used.calls + calls, _plus(used.usage, usage), both, used.final or final))


def _added(c: Conversation, paid: TurnPaid) -> Conversation:
    usage = paid.usage
    return replace(
        c,
        cost=c.cost + (paid.usd or 0.0),
        unpriced=c.unpriced or paid.usd is None,
        input_tokens=c.input_tokens + usage.input + usage.cache_read + usage.cache_write,
        output_tokens=c.output_tokens + usage.output,
        turns=c.turns + paid.turns,
        counted=c.counted if c.mode is AgentMode.INTERACTIVE else (),
    )


def _price(c: Conversation, result: TurnResult) -> float | None:
    """What the turn cost, in US dollars; None where nobody tells.

    The program's total runs over turns and resumes, but goes back to what it had saved when it was killed; what it
    spent in its interactive mode shows in the next total alone, where it was not counted already.
    """
    turn, total, before = result.cost_turn, result.cost_total, c.cost_total
    if turn is not None and may_copy_again(c):  # the total of a copy begins with its source's, which may have grown
        return turn
    if total is not None and before is not None and total >= before:
        return max(turn or 0.0, total - before)
    if turn is not None:
        return turn
    if total is None and result.usage != _NOTHING:
        return None
    return total if total is not None and before is None else 0.0


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [one for one in amounts if one is not None]
    return sum(known) if known else None


def _usage_of(calls: Iterable[ModelCalled]) -> TokenUsage:
    whole = _NOTHING
    for call in calls:
        whole = _plus(whole, call.usage)
    return whole


def _plus(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(*(a + b for a, b in zip(one, other, strict=True)))


def _minus(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(*(a - b for a, b in zip(one, other, strict=True)))
