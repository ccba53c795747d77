"""The step function of a conversation: facts in, state and effects out. No clock, no IO.

`step` takes what happened (`agent_events` of the program, `conversation_events` of people and of us); the effects are
carried out once the state is saved. One message is in flight at a time: each has a turn of its own, and so an answer
of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import Activity, ActivityKind, ActivitySource, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Echoed,
    LimitReached,
    MarkReached,
    ModelCalled,
    NotOpened,
    Retry,
    Retrying,
    SessionNamed,
    SessionReady,
    StateForgotten,
    StateGuessed,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
    UsageRead,
)
from overmind_core.domain.agents.conversation import (
    Conversation,
    FailedMessage,
    has_turn,
    is_busy,
    lose_conversation,
    may_copy_again,
)
from overmind_core.domain.agents.conversation_events import (
    Answered,
    Asking,
    CloseInput,
    Deliver,
    EndRun,
    Fact,
    InputHeld,
    Interrupt,
    InterruptAsked,
    LeaveProgram,
    MessageMoved,
    ModeWanted,
    PromptTaken,
    Queued,
    RunBegun,
    RunOver,
    Step,
    Undelivered,
    WaiterGone,
    Withdrawn,
)
from overmind_core.domain.agents.events import ConversationChanged, MessageResent
from overmind_core.domain.agents.limits import is_held
from overmind_core.domain.agents.prices import keep_price
from overmind_core.domain.agents.spending import lost_turn_paid, usage_told
from overmind_core.domain.agents.terminal_words import is_id
from overmind_core.domain.agents.turns import (
    INTERRUPTED,
    answered,
    asking,
    close,
    mark_reached,
    one_line,
    others,
    since,
    tool_called,
    tool_returned,
    turn_began,
    turn_ended,
    working,
)
from overmind_core.domain.missions.events import StartFailed
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.missions.reasons import EXITED
from overmind_core.domain.text.cells import display_safe

if TYPE_CHECKING:
    from overmind_core.domain.agents.prices import Price

CHANGE_GRACE = 10.0
"""Seconds that a program gets to end by itself when another mode follows."""


def step(
    c: Conversation,
    fact: Fact,
    now: float,
    *,
    source: ActivitySource = ActivitySource.STREAM,
    price: Price | None = None,
) -> Step:
    """What `fact` makes of the conversation, and what is to be done.

    `now`: seconds since the epoch; `price`: that of its model by the settings, where its program may not tell dollars.
    """
    kept = keep_price(c.price, c.model, price)
    c, price = (c if kept == c.price else replace(c, price=kept)), kept and kept.price
    after, effects = _on_request(c, fact, now, price) or _on_agent_event(c, fact, now, source, price)
    after, more = _advance(after, now)
    return after, (*effects, *more)


def _on_request(  # noqa: PLR0911 - one case per fact
    c: Conversation, fact: Fact, now: float, price: Price | None
) -> Step | None:
    """What people and the supervisor tell; None for what the program says."""
    match fact:
        case RunBegun():
            return _on_run_begun(c, fact, now)
        case RunOver():
            return _on_run_over(c, fact, now, price)
        case InputHeld(on):
            return replace(c, held=on), ()
        case Queued(message):
            return _try_again(replace(c, queue=(*c.queue, message)), now), ()
        case Withdrawn(message):
            return _without(c, message), (MessageMoved(message, "cancelled"),)
        case InterruptAsked():
            return c, ((Interrupt(),) if has_turn(c) else ())
        case ModeWanted(mode, keep):
            return replace(c, wanted=mode, keep=keep), ()
        case PromptTaken():
            return _on_prompt_taken(c)
        case Undelivered(error):
            return _on_undelivered(c, error, now)
    return None


def _on_agent_event(  # noqa: C901, PLR0911, PLR0912 - one case per fact
    c: Conversation, fact: Fact, now: float, source: ActivitySource, price: Price | None
) -> Step:
    """What the program says, and answers to what it asks; what means nothing changes nothing."""
    match fact:
        case SessionNamed():
            return _on_session_named(c, fact, now, source)
        case SessionReady():
            return _on_session_ready(c, now, source), ()
        case NotOpened(result):
            return _on_not_opened(c, result)
        case TurnBegan() | Echoed():
            return turn_began(c, fact, now, source)
        case TextSpoken(text, thought):
            return working(c, "" if thought else text, now, source), ()
        case ToolCalled():
            return tool_called(c, fact, now, source)
        case ToolReturned(call):
            return tool_returned(c, call, now, source)
        case MarkReached(mark):
            return mark_reached(c, mark), ()
        case Retrying() | LimitReached():
            return _on_limit(c, fact, now, source)
        case ModelCalled() | UsageRead():
            return usage_told(c, fact, price)
        case TurnEnded(result, text):
            return turn_ended(c, result, now, source, text, price=price)
        case StateForgotten():
            return _on_state_forgotten(c, now, source)
        case StateGuessed(state):
            has_worked = state is ActivityKind.WORKING
            c = replace(c, begun=True, switched=False) if has_worked and not c.begun else c
            return _on_state_forgotten(c, now, source, guess=state)
        case Asking():
            return asking(c, fact, now, source)
        case AskCancelled(request):
            return close(c, [one for one in c.open if not request or one.request == request], now, source)
        case Answered():
            return answered(c, fact, now, source)
        case WaiterGone(number):
            return _on_waiter_gone(c, number, now, source)
    return c, ()


def _on_run_begun(c: Conversation, fact: RunBegun, now: float) -> Step:
    c = replace(c, held=False, running=fact.run, opening=fact.opens)
    if fact.message is not None:
        c = replace(c, sending=fact.message, queue=others(c.queue, fact.message), failed=None)
    if c.mode is AgentMode.ONE_SHOT or fact.message is not None:
        c = replace(c, activity=Activity(ActivityKind.WORKING, now))
    elif c.mode is AgentMode.HEADLESS and not c.opening:
        c = replace(c, activity=Activity(ActivityKind.IDLE, now))
    else:
        c = replace(c, activity=Activity(ActivityKind.UNKNOWN, now, ActivitySource.HOOK))
    return c, ()


def _on_run_over(c: Conversation, fact: RunOver, now: float, price: Price | None) -> Step:
    """The message in flight is sent once more by the next run; without one it fails, and so do those that wait.

    A run that was switched over has not lost it, however often that happens.
    """
    switched = c.leaving or c.wanted is not c.mode
    c, paid = lost_turn_paid(c, price)
    closed, effects = close(c, list(c.open), now, ActivitySource.STREAM)
    effects = (*paid, *effects)
    flying = closed.sending if closed.sending is not None else closed.turn.message if closed.turn else None
    unknown = Activity(ActivityKind.UNKNOWN, now)
    c = replace(closed, sending=None, turn=None, held=True, running=0, opening=False, activity=unknown)
    if flying is not None and not fact.final and (switched or flying not in c.resent):
        why = "the session was switched over" if switched else "the agent ended before it answered"
        again = MessageResent(text=f"--- message {flying} is resent: {why} ---")
        c = replace(c, queue=(flying, *c.queue))
        c = replace(c, cut_off=flying) if switched else replace(c, resent=(*c.resent, flying))
        effects = (*effects, MessageMoved(flying, "queued"), again)
    elif flying is not None:
        failed = FailedMessage(flying, EXITED, is_given_up=flying in c.resent)
        c = replace(c, resent=others(c.resent, flying), failed=failed)
        effects = (*effects, MessageMoved(flying, "failed", EXITED))
    elif fact.final and c.queue:
        c = replace(c, failed=FailedMessage(c.queue[-1], EXITED))
    if fact.final:
        effects = (*effects, *(MessageMoved(one, "failed", EXITED) for one in c.queue))
        # Who had it in a terminal is gone: somebody who starts it again gets it as it was.
        c = replace(c, queue=(), resent=(), cut_off=None, wanted=c.wanted if c.keep else c.home)
    return c, effects


def _on_session_named(c: Conversation, fact: SessionNamed, now: float, source: ActivitySource) -> Step:
    """It has begun: what it asked before that is answered. Another name: a person began another conversation."""
    c, effects = close(c, [one for one in c.open if one.need is AgentNeed.SETUP], now, source)
    c = replace(
        c,
        model=fact.model or c.model,
        permission_mode=fact.permission_mode or c.permission_mode,
        forks=c.forks if fact.forks is None else fact.forks,
    )
    is_word = c.mode is not AgentMode.INTERACTIVE or is_id(fact.session)  # on a terminal it becomes an argument
    if fact.session == c.session or not is_word:
        return c, effects
    if may_copy_again(c) and (c.opening or (fact.begins and not c.begun)):  # the copy is stored under this name
        return replace(c, session=fact.session, begun=True), effects
    if c.opening or (fact.begins and not c.begun):  # the program chooses the name
        return replace(c, session=fact.session, begun=False, cost_total=0.0), effects
    # `/clear`: the new one is stored with its first prompt.
    other = replace(lose_conversation(c), session=fact.session, begun=False, cost_total=None, copied=True)
    return other, (*effects, ConversationChanged(session_id=fact.session))


def _on_not_opened(c: Conversation, result: TurnResult) -> Step:
    """No message is ever delivered to this run: its end decides what follows."""
    told = StartFailed(text=f"--- could not start: {display_safe(one_line(result.text))} ---")
    effects = (CloseInput(),) if result.retry is Retry.SWITCH else (told, CloseInput())
    return replace(c, last=replace(result, raw={}), input_closed=True), effects


def _on_session_ready(c: Conversation, now: float, source: ActivitySource) -> Conversation:
    rests = c.opening and c.mode is not AgentMode.ONE_SHOT and c.sending is None
    return replace(c, opening=False, activity=Activity(ActivityKind.IDLE, now, source) if rests else c.activity)


def _on_state_forgotten(
    c: Conversation, now: float, source: ActivitySource, *, guess: ActivityKind | None = None
) -> Step:
    """End the turn, as far as anybody can tell; a question of somebody else about the mission stays open."""
    if guess is not None and c.activity.guess is guess:
        return c, ()
    c, effects = turn_ended(c, None, now, source) if is_busy(c) else (c, ())
    activity = Activity(ActivityKind.UNKNOWN, now, source, guess=guess)
    return c if c.open else replace(c, activity=activity), effects


def _on_waiter_gone(c: Conversation, number: int, now: float, source: ActivitySource) -> Step:
    """The program stopped waiting for our answer: somebody refused on its screen, which ends the turn."""
    if all(one.number != number for one in c.open):
        return c, ()
    return turn_ended(c, None, now, source)


def _on_limit(c: Conversation, fact: Retrying | LimitReached, now: float, source: ActivitySource) -> Step:
    resume_at = now + fact.delay if isinstance(fact, Retrying) else fact.until
    attempt = fact.attempt if isinstance(fact, Retrying) else 0
    if is_held(c) and not is_busy(c) and c.tries:  # the turn is over, and the next try decided
        return replace(c, activity=replace(c.activity, now=fact.error or c.activity.now)), ()
    activity = Activity(
        ActivityKind.LIMITED, since(c, ActivityKind.LIMITED, now), source, fact.error, None, attempt, resume_at
    )
    return replace(c, activity=activity), ()


def _on_prompt_taken(c: Conversation) -> Step:
    """What was to be typed goes back to the head of the queue, and a change to another mode waits as well."""
    c = replace(c, leaving=False)
    if c.sending is None:
        return c, ()
    message = c.sending
    return replace(c, sending=None, queue=(message, *c.queue)), (MessageMoved(message, "queued"),)


def _on_undelivered(c: Conversation, error: str, now: float) -> Step:
    if c.sending is None:
        return c, ()
    message = c.sending
    resent = others(c.resent, message)
    activity = replace(c.activity, doing=ActivityKind.IDLE, since=now)
    failed = None if error == INTERRUPTED else FailedMessage(message, error)
    c = replace(c, sending=None, resent=resent, activity=activity, failed=failed)
    return c, (MessageMoved(message, "failed", error),)


def _without(c: Conversation, message: int) -> Conversation:
    return replace(c, queue=others(c.queue, message), resent=others(c.resent, message))


def _advance(c: Conversation, now: float) -> Step:
    """What the conversation does by itself: change over, or deliver the next message once the agent is free for it."""
    c = _after_limit(c, now)
    if c.wanted is not c.mode:
        return _change_over(c)
    if not c.queue or c.held or c.opening or c.input_closed or is_busy(c) or c.mode is AgentMode.ONE_SHOT:
        return c, ()
    if c.mode is AgentMode.INTERACTIVE and (c.home is not c.mode or c.activity.doing is not ActivityKind.IDLE):
        return c, ()
    if is_held(c):
        return c, ()
    message = c.queue[0]
    activity = replace(c.activity, doing=ActivityKind.WORKING, since=now)
    return replace(c, queue=c.queue[1:], sending=message, activity=activity, failed=None), (Deliver(message),)


def _try_again(c: Conversation, now: float) -> Conversation:
    """A person writes to an agent that no time sets free: perhaps they have seen to what it lacks."""
    if not is_held(c) or c.activity.resume_at is not None or is_busy(c):
        return c
    return replace(c, activity=Activity(ActivityKind.IDLE, now, c.activity.source))


def _after_limit(c: Conversation, now: float) -> Conversation:
    """Once a limit has ended it is the person's turn again."""
    ends = c.activity.resume_at
    if c.activity.doing is not ActivityKind.LIMITED or ends is None or now < ends or is_busy(c) or c.held:
        return c
    return replace(c, activity=Activity(ActivityKind.IDLE, now, c.activity.source))


def _change_over(c: Conversation) -> Step:
    """End the run when another mode is wanted and nothing is lost by it."""
    if c.leaving or c.held:
        return c, ()
    if c.mode is AgentMode.HEADLESS:
        if c.open:  # the program shows it again by itself once the message is sent again
            return replace(c, leaving=True), (EndRun(Cause.CHANGE_OVER, CHANGE_GRACE),)
        return (c, ()) if is_busy(c) else (replace(c, leaving=True, input_closed=True), (CloseInput(),))
    idle = c.activity.doing in {ActivityKind.IDLE, ActivityKind.LIMITED} and not is_busy(c)
    return (replace(c, leaving=True), (LeaveProgram(),)) if idle else (c, ())
