"""When an agent that a limit holds up is tried again, and what becomes of its messages meanwhile."""

from __future__ import annotations

from overmind_core.domain.agents import conversation_step
from overmind_core.domain.agents.agent import ActivityKind, AgentMode
from overmind_core.domain.agents.agent_events import LimitReached, Retry, TurnBegan, TurnEnded, TurnResult
from overmind_core.domain.agents.conversation import Conversation, plan_run
from overmind_core.domain.agents.conversation_events import Deliver, InputHeld, MessageMoved, Queued, RunBegun
from overmind_core.domain.agents.limits import next_try
from tests.kit.cases import tabled

NOW = 1000.0
OVERLOADED = TurnEnded(TurnResult(ok=False, reason="api_error 529", retry=Retry.WAIT))
NO_CREDIT = TurnEnded(TurnResult(ok=False, reason="no_credit", retry=Retry.WAIT))
OK = TurnEnded(TurnResult(ok=True, text="done"))

TRIES = [
    # told, tries, seconds until the next
    (None, 1, 15),
    (None, 2, 30),
    (None, 3, 60),
    (None, 5, 240),
    (None, 6, 300),
    (None, 99, 300),
    (NOW + 3600, 1, 3600),
    (NOW + 2, 1, 2),
    (NOW + 3600, 4, 3600),
    (NOW + 2, 4, 60),
    (NOW, 1, 15),
    (NOW - 5, 2, 30),
]


@tabled(("told", "tries", "seconds"), TRIES)
def test_it_is_tried_at_the_time_that_the_program_tells_else_after_a_wait_that_doubles(told, tries, seconds):
    assert next_try(told, tries, NOW) - NOW == seconds


def session(*facts, now=NOW):
    home = AgentMode.HEADLESS
    c = plan_run(Conversation("session", home, home, home, held=True), 1, session="", token="token")
    return go(c, RunBegun(1), *facts, now=now)


def go(c, *facts, now=NOW):
    done: list[object] = []
    for fact in facts:
        c, effects = conversation_step.step(c, fact, now)
        done += effects
    return c, done


def moves(done):
    return [(one.message, one.state) for one in done if isinstance(one, MessageMoved)]


def test_a_message_that_meets_a_limit_waits_at_the_head_of_the_queue():
    c, done = session(Queued(1), Queued(2), Queued(3), TurnBegan(), OVERLOADED)
    assert moves(done) == [(1, "delivered"), (1, "queued")]
    assert (c.queue, c.sending, c.turn) == ((1, 2, 3), None, None)
    assert (c.activity.doing, c.activity.attempt, c.activity.resume_at) == (ActivityKind.LIMITED, 1, NOW + 15)
    c, done = go(c, Queued(4), InputHeld(on=False), now=NOW + 14.9)
    assert (done, c.queue) == ([], (1, 2, 3, 4))


def test_it_is_sent_again_once_the_time_has_come_and_the_wait_doubles_while_it_fails():
    c, _ = session(Queued(1), Queued(2), TurnBegan(), OVERLOADED)
    c, done = go(c, InputHeld(on=False), now=NOW + 15)
    assert done == [Deliver(1)]
    c, _ = go(c, TurnBegan(), OVERLOADED, now=NOW + 20)
    assert (c.queue, c.tries, c.activity.resume_at) == ((1, 2), 2, NOW + 50)
    c, _ = go(c, InputHeld(on=False), now=NOW + 50)
    c, done = go(c, TurnBegan(), OK, now=NOW + 51)
    assert moves(done)[:2] == [(1, "delivered"), (1, "answered")]
    assert (c.tries, c.sending) == (0, 2)


def test_the_end_that_the_program_tells_of_a_limit_is_honoured():
    c, _ = session(Queued(1), TurnBegan(), LimitReached(NOW + 900, "five hour limit reached"), OVERLOADED)
    assert (c.activity.resume_at, c.queue) == (NOW + 900, (1,))


def test_without_credit_nothing_is_tried_until_a_person_acts():
    c, _ = session(Queued(1), TurnBegan(), NO_CREDIT, LimitReached(None, "Credit balance is too low"))
    assert (c.activity.doing, c.activity.resume_at) == (ActivityKind.LIMITED, None)
    c, done = go(c, InputHeld(on=False), now=NOW + 9999)
    assert (done, c.queue) == ([], (1,))
    c, done = go(c, Queued(2), now=NOW + 9999)
    assert (done, c.queue) == ([Deliver(1)], (2,))


def test_other_failures_fail_the_message_as_before():
    failed = TurnEnded(TurnResult(ok=False, reason="api_error 500"))
    c, done = session(Queued(1), TurnBegan(), failed)
    assert moves(done)[-1] == (1, "failed")
    assert c.activity.doing is ActivityKind.IDLE
