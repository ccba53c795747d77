"""The cost of a conversation: what turns and calls of the model add to it, each counted once. Pure.

A program on pipes tells the cost of each turn in its result. One on a terminal writes down what each call has used, and
its own sum as it ends; until that comes, calls count at their list prices. Tokens and money have one base: what is
counted in one is counted in the other. Where nobody tells dollars, a person's price of the model makes
them of tokens: an estimate, known as one wherever it goes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.agent_events import CostTotalled, ModelCalled, TokenUsage, TurnResult, UsageRead
from overmind_core.domain.agents.conversation import Conversation, ConversationFiles, Turn, TurnUsage, may_copy_again
from overmind_core.domain.agents.conversation_events import Step, TurnPaid
from overmind_core.domain.agents.events import TurnFinished
from overmind_core.domain.text.decimals import dollars

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.agents.prices import KeptPrice, Price

MOST_COUNTED = 64
"""Calls that are remembered, so that none counts twice."""
_NOTHING = TokenUsage()
_UNKNOWN = TurnPaid(None, _NOTHING, 0)
"""Something more was used, and nobody knows what it has cost."""
CostSource = Literal["reported", "estimated"]
"""Where a cost is from: its program, or a person's prices."""


def result_paid(c: Conversation, result: TurnResult, *, counted: bool) -> Step:
    """Count what the turn cost by its result; `counted`: its figures are those of calls that were counted already."""
    usd = result.cost_turn if counted else _price(c, result)
    finished = TurnFinished(
        text=_cost_line(usd, c.price) if result.estimated and usd is not None else None,
        ok=result.ok,
        reason=result.reason,
        cost_usd=None if usd is None else round(usd, 6),
        cost_source=source_of(usd, is_estimated=result.estimated),
        turns=result.turns,
        duration_ms=result.duration_ms,
    )
    c = replace(c, last=replace(result, raw={}, text=""), process_usage=result.process_usage or c.process_usage)
    if counted:
        return c, (finished,)
    c = replace(
        c,
        cost_total=c.cost_total if result.cost_total is None else result.cost_total,
        reported=c.reported or (usd is not None and not result.estimated),
    )
    paid = TurnPaid(usd, result.usage, result.turns, result.estimated)
    return _added(c, paid), (paid, finished)


def _cost_line(usd: float, kept: KeptPrice | None) -> str:
    """Return the line below a turn in the transcript, whose program tells no cost itself."""
    amount = dollars(usd)
    if kept is not None and kept.is_removed:
        return f"--- ~{amount} at the last price of {kept.model or 'its model'}: config.toml has none now ---"
    return f"--- ~{amount} at your prices ---"


def has_usage(result: TurnResult) -> bool:
    """Return whether the program itself says what the turn has used."""
    return result.usage != _NOTHING or result.cost_turn is not None or result.cost_total is not None


def usage_told(c: Conversation, fact: ModelCalled | UsageRead, price: Price | None = None) -> Step:
    """The program says what calls have used: on pipes while a turn is under way, on a terminal in its files.

    One on a terminal that has a server tells each call there, as it ends.
    """
    if isinstance(fact, UsageRead):
        return _usage_read(c, fact, price)
    if c.mode is AgentMode.INTERACTIVE:
        return _figures_paid(c, (fact,), price)
    return _call_heard(c, _priced(fact, price)), ()


def _priced(call: ModelCalled, price: Price | None) -> ModelCalled:
    """The call with what it cost at a person's price, where nobody tells."""
    if call.usd is not None or price is None:
        return call
    return call._replace(usd=price.cost_of(call.usage), estimated=True)


def _call_heard(c: Conversation, call: ModelCalled) -> Conversation:
    """Remember what a call under way on pipes has used: it counts if the turn never comes to its result."""
    before = next((one for one in c.counted if one.call == call.call), None)
    others = tuple(one for one in c.counted if one is not before)
    c = replace(c, counted=(*others, call)[-MOST_COUNTED:])
    if c.turn is None:
        return c
    more = call.usage if before is None else _minus(call.usage, before.usage)
    usd = None if call.usd is None else call.usd - (0.0 if before is None else before.usd or 0.0)
    added = TurnUsage(before is None, more, usd, call.final, call.estimated)
    return replace(c, turn=_used(c.turn, added))


def _usage_read(c: Conversation, fact: UsageRead, price: Price | None) -> Step:
    """Count the calls that the program has written down, and trust its own sum where it tells one."""
    if c.files is None or c.files.path != fact.path:
        return c, ()
    return _figures_paid(replace(c, files=replace(c.files, read=fact.positions)), fact.figures, price)


def _figures_paid(c: Conversation, figures: Sequence[ModelCalled | CostTotalled], price: Price | None) -> Step:
    calls = [_priced(one, price) for one in figures if isinstance(one, ModelCalled)]
    totals = [one.usd for one in figures if isinstance(one, CostTotalled)]
    paid, is_known, c = _calls_paid(c, calls)
    more = 0.0
    if totals:
        more = 0.0 if c.cost_total is None else max(0.0, totals[-1] - c.cost_total)
        c = replace(c, cost_total=max(totals[-1], c.cost_total or 0.0), reported=True)
    if paid is None:
        paid = TurnPaid(more, _NOTHING, 0)
        return (_added(c, paid), (paid,)) if more else (c, ())
    usd = (paid.usd or 0.0) + more
    whole = paid._replace(usd=usd if is_known or usd else None)
    c = _added(c, whole)
    return (c, (whole,)) if is_known or not usd else (_added(c, _UNKNOWN), (whole, _UNKNOWN))


def lost_turn_paid(c: Conversation, price: Price | None = None) -> Step:
    """Count what a turn on pipes had used when its program died: no result tells it any more.

    The last call may have cost something, too, and where the program tells no sum of its own nobody ever knows.
    """
    if c.mode is AgentMode.INTERACTIVE:
        return c, ()
    is_known = c.turn is None or price is None or c.reported
    c, paid = _told_calls_paid(c)
    if is_known:
        return c, paid
    return _added(c, _UNKNOWN), (*paid, _UNKNOWN)


def _told_calls_paid(c: Conversation) -> Step:
    if c.turn is None or not c.counted:
        return replace(c, counted=()), ()
    used = c.turn.used
    if used.calls < len(c.counted):  # an earlier version, or one before the turn
        is_estimated = any(one.estimated for one in c.counted)
        used = TurnUsage(len(c.counted), _usage_of(c.counted), None, estimated=is_estimated)
    usd = used.usd if used.usd is not None else _sum(one.usd for one in c.counted)
    paid = TurnPaid(usd, used.usage, used.calls, used.estimated)
    c = replace(c, counted=(), cost_total=None if c.cost_total is None else c.cost_total + (usd or 0.0))
    return _added(c, paid), (paid,)


def with_usage(c: Conversation, result: TurnResult, now: float, price: Price | None = None) -> TurnResult:
    """The end of a turn, with what it has used where the program tells something else, and what that cost.

    Of a turn on a terminal it tells only that it is over; another one tells what its process has used.
    """
    result = _with_tokens(c, result, now)
    told = result.cost_turn is not None or result.cost_total is not None
    if told or price is None or result.usage == _NOTHING:
        return result
    return replace(result, cost_turn=price.cost_of(result.usage), estimated=True)


def _with_tokens(c: Conversation, result: TurnResult, now: float) -> TurnResult:
    if result.process_usage is not None:
        return replace(result, usage=result.process_usage.since(c.process_usage))
    if c.mode is not AgentMode.INTERACTIVE or c.turn is None or has_usage(result):
        return result
    used = c.turn.used
    lasted = (now - c.turn.began) * 1000.0
    return replace(
        result,
        usage=used.usage,
        cost_turn=used.usd,
        estimated=used.estimated and used.usd is not None,
        turns=used.calls,
        duration_ms=lasted,
    )


def files_at(c: Conversation, path: str, since: float) -> Conversation:
    """The conversation with its record at `path`; one that was read already is read on."""
    known = c.files is not None and c.files.path == path
    return c if known else replace(c, files=ConversationFiles(path, since))


def cost_of(c: Conversation) -> float | None:
    """US dollars of all turns; None when nobody knows the price of any, or nothing was used."""
    return c.cost if c.cost or not (c.unpriced or _is_unused(c)) else None


def is_partial(c: Conversation) -> bool:
    """Return whether a part of the cost is unknown, and the rest known."""
    return c.unpriced and cost_of(c) is not None


def cost_source(c: Conversation) -> CostSource | None:
    """Where the cost is from; None: there is none."""
    return source_of(cost_of(c), is_estimated=c.estimated)


def source_of(usd: float | None, *, is_estimated: bool) -> CostSource | None:
    """Where so many US dollars are from, as the API says it; None: nobody knows how many."""
    return None if usd is None else "estimated" if is_estimated else "reported"


def _is_unused(c: Conversation) -> bool:
    return not (c.input_tokens or c.output_tokens or c.turns)


def _calls_paid(c: Conversation, calls: Sequence[ModelCalled]) -> tuple[TurnPaid | None, bool, Conversation]:
    """Return what the calls add to those that were counted, as far as it is known, and whether all of it is."""
    counted = {one.call: one for one in c.counted}
    usage, usd, number, changed, final = _NOTHING, 0.0, 0, False, False
    known, estimated = True, False
    for call in calls:
        before = counted.pop(call.call, None)
        counted[call.call] = call
        final = final or call.final
        if before is not None and before.usage == call.usage:
            continue
        changed = True
        number += before is None
        usage = _plus(usage, call.usage if before is None else _minus(call.usage, before.usage))
        known, estimated = known and call.usd is not None, estimated or call.estimated
        usd += (call.usd or 0.0) - (0.0 if before is None else before.usd or 0.0)
    is_told = any(one.usd is not None and not one.estimated for one in calls)
    c = replace(c, counted=tuple(counted.values())[-MOST_COUNTED:], reported=c.reported or is_told)
    if c.turn is not None and (changed or final):
        c = replace(c, turn=_used(c.turn, TurnUsage(number, usage, usd if known else None, final, estimated)))
    if not changed:
        return None, True, c
    if c.cost_total is not None:
        c = replace(c, cost_total=c.cost_total + usd)
    return TurnPaid(usd, usage, number, estimated), known, c


def _used(turn: Turn, more: TurnUsage) -> Turn:
    used = turn.used
    both = None if more.usd is None or used.usd is None else used.usd + more.usd
    calls, usage = used.calls + more.calls, _plus(used.usage, more.usage)
    return replace(turn, used=TurnUsage(calls, usage, both, used.final or more.final, used.estimated or more.estimated))


def _added(c: Conversation, paid: TurnPaid) -> Conversation:
    usage = paid.usage
    return replace(
        c,
        cost=c.cost + (paid.usd or 0.0),
        unpriced=c.unpriced or paid.usd is None,
        estimated=c.estimated or paid.estimated,
        input_tokens=c.input_tokens + usage.read,
        output_tokens=c.output_tokens + usage.output,
        turns=c.turns + paid.turns,
        counted=c.counted if c.mode is AgentMode.INTERACTIVE else (),
    )


def _price(c: Conversation, result: TurnResult) -> float | None:
    """Return the cost of the turn in US dollars; None where nobody tells.

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
    if total is None:
        return 0.0 if c.reported and result.usage == _NOTHING else None
    return total if before is None else 0.0


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
