"""One conversation, fact by fact: what each of them makes of it, and what is to be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.agents import conversation, conversation_step
from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents import turns as agents_turns
from overmind_core.domain.agents.agent import Activity, ActivityKind, ActivitySource, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Behaviour,
    Decision,
    Echoed,
    LimitReached,
    MarkReached,
    NotOpened,
    Retry,
    Retrying,
    SessionNamed,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.agents.conversation_events import (
    Answered,
    AskClosed,
    Asking,
    AskOpened,
    CloseInput,
    Deliver,
    EndRun,
    InputHeld,
    Interrupt,
    InterruptAsked,
    LeaveProgram,
    MessageMoved,
    ModeWanted,
    Notify,
    Queued,
    RunBegun,
    RunOver,
    Undelivered,
    WaiterGone,
    Withdrawn,
    WriteAnswer,
)
from overmind_core.domain.agents.events import (
    AnswerFound,
    ConversationChanged,
    MessageResent,
    PromptGiven,
    TurnFinished,
)
from overmind_core.domain.missions.events import StartFailed
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.text.cells import display_safe

NOW = 1_800_000_000.0
YES = Decision(Behaviour.ALLOW)
OK = TurnResult(ok=True, text="done\nmore", turns=1, usage=TokenUsage(10, 2, 3, 4))
OURS = {AgentMode.HEADLESS: Echoed("hi"), AgentMode.INTERACTIVE: Echoed("hi", "1")}
"""How an agent shows that it has message 1."""


def fresh(home=AgentMode.HEADLESS, **fields):
    return Conversation("session", home, home, home, held=True, **fields)


def go(c, *facts, source=ActivitySource.STREAM, now=NOW):
    """Tell it all of `facts`; return how it stands then, and all that was to be done."""
    done: tuple[talk.Effect, ...] = ()
    for fact in facts:
        c, effects = conversation_step.step(c, fact, now, source=source)
        done += effects
    return c, done


def running(home=AgentMode.HEADLESS, *facts, **fields):
    """A conversation whose first run is under way, after these facts."""
    c = conversation.plan_run(fresh(home, **fields), 1, session="unused", token="token")
    idle = (TurnEnded(None),) if home is AgentMode.INTERACTIVE else ()
    return go(c, RunBegun(1), *idle, *facts)[0]


def delivered(home=AgentMode.HEADLESS):
    return running(home, Queued(1), OURS[home])


def moves(effects):
    return [(one.message, one.state, one.error) for one in effects if isinstance(one, MessageMoved)]


def kinds(effects):
    return [type(one) for one in effects]


def ask(number=7, need=AgentNeed.PERMISSION, **fields):
    return Asking(number, f"r{number}", need, "Bash: touch x", **fields)


# --- messages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", [AgentMode.HEADLESS, AgentMode.INTERACTIVE])
def test_a_message_for_an_idle_agent_is_delivered_at_once_and_answered_by_its_own_turn(home):
    c, done = go(running(home), Queued(1))
    assert done == (Deliver(1),)
    assert (c.sending, c.queue, c.activity.doing) == (1, (), ActivityKind.WORKING)
    c, done = go(c, OURS[home])
    assert moves(done) == [(1, "delivered", None)]
    c, done = go(c, TurnEnded(OK))
    assert moves(done) == [(1, "answered", None)]
    assert next(one for one in done if isinstance(one, MessageMoved)).result is OK
    assert (c.turn, c.sending, c.activity.doing, c.activity.now) == (None, None, ActivityKind.IDLE, "done")


def test_the_next_message_waits_for_the_end_of_the_turn():
    c, done = go(delivered(), Queued(2), Queued(3))
    assert done == ()
    c, done = go(c, TurnEnded(OK))
    assert (moves(done), done[-1]) == ([(1, "answered", None)], Deliver(2))
    assert c.queue == (3,)


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param((TurnBegan(),), id="it works by itself"),
        pytest.param((Queued(1),), id="a message was written"),
        pytest.param((Queued(1), Echoed("hi"), ask()), id="it asks"),
        pytest.param((InputHeld(on=True),), id="it is frozen"),
    ],
)
def test_nothing_is_delivered_while(busy):
    c, done = go(running(AgentMode.HEADLESS, *busy), Queued(2))
    assert done == ()
    assert c.queue == (2,)


def test_a_program_on_a_terminal_gets_nothing_before_it_shows_that_it_is_idle():
    c = conversation.plan_run(fresh(AgentMode.INTERACTIVE), 1, session="", token="")
    c, done = go(c, RunBegun(1), Queued(1))
    assert done == ()
    _, done = go(c, TurnEnded(None), source=ActivitySource.TERMINAL)
    assert done == (Deliver(1),)


def test_what_was_held_back_follows_once_it_can():
    c, done = go(running(AgentMode.HEADLESS, InputHeld(on=True), Queued(1)), InputHeld(on=False))
    assert done == (Deliver(1),)
    assert not c.held


def test_a_one_shot_gets_no_messages_and_its_input_is_closed_behind_its_turn():
    c, done = go(running(AgentMode.ONE_SHOT, TurnBegan()), TurnEnded(OK))
    assert kinds(done) == [talk.TurnPaid, TurnFinished, CloseInput]
    assert go(c, Queued(1))[1] == ()


def test_a_failed_turn_fails_its_message_with_the_reason():
    _, done = go(delivered(), TurnEnded(TurnResult(ok=False, reason="api_error 529")))
    assert moves(done) == [(1, "failed", "api_error 529")]


def test_a_result_without_a_beginning_is_the_answer_to_what_was_written():
    _, done = go(running(AgentMode.HEADLESS, Queued(1)), TurnEnded(OK))
    assert moves(done) == [(1, "answered", None)]


def test_the_end_of_a_turn_that_never_began_delivers_nothing_twice():
    c = running(AgentMode.HEADLESS, Queued(1))
    c, done = go(c, TurnEnded(None))
    assert (done, c.sending) == ((), 1)


def test_a_queued_message_can_be_withdrawn_and_the_others_keep_their_order():
    c, done = go(delivered(), Queued(2), Queued(3), Queued(4), Withdrawn(3))
    assert done == (MessageMoved(3, "cancelled"),)
    assert c.queue == (2, 4)


def test_what_a_person_types_is_a_turn_without_a_message():
    c, done = go(running(AgentMode.INTERACTIVE), Echoed("typed by hand"))
    assert (done, c.turn.message) == ((PromptGiven(text="[human] typed by hand"),), None)
    c, done = go(c, Queued(1), TurnEnded(None))
    assert done == (Deliver(1),)


def test_what_is_said_on_a_screen_stands_in_the_log_once():
    def shown(c, result):
        c, done = go(c, TurnEnded(result))
        return c, [one.text for one in done if isinstance(one, AnswerFound)]

    talked, _ = go(running(AgentMode.INTERACTIVE), Echoed("typed by hand"))
    c, said = shown(talked, OK)
    assert said == [OK.text]
    assert shown(c, OK)[1] == []
    assert shown(talked, TurnResult(ok=False, reason="interrupted", text="half"))[1] == []
    assert shown(delivered(), OK)[1] == [], "its lines are the log"


def test_a_person_who_types_while_ours_is_on_its_way_does_not_take_its_place():
    c, done = go(running(AgentMode.INTERACTIVE, Queued(1)), Echoed("typed by hand"))
    assert (moves(done), c.sending, c.turn.message) == ([], 1, None)
    _, done = go(c, TurnEnded(None), Echoed("hi", "1"))
    assert moves(done) == [(1, "delivered", None)]


def test_what_could_not_be_typed_fails_and_the_next_one_follows():
    _, done = go(running(AgentMode.INTERACTIVE, Queued(1), Queued(2)), Undelivered("the program did not accept it"))
    assert done == (MessageMoved(1, "failed", "the program did not accept it"), Deliver(2))


# --- conversations of earlier missions ---------------------------------------------------------------------------


@pytest.mark.parametrize("home", AgentMode)
def test_each_run_goes_on_with_the_conversation_of_an_earlier_mission_and_counts_what_is_new_alone(home):
    earlier = replace(running(AgentMode.ONE_SHOT), session="theirs", begun=True, cost_total=1.25)
    c = conversation.inherit(fresh(home), earlier)
    first = conversation.plan_run(c, 1, session="unused", token="token")
    assert (first.session, first.resumed, first.cost_total) == ("theirs", True, 1.25)
    second = conversation.plan_run(first, 2, session="unused", token="token")
    assert (second.session, second.resumed) == ("theirs", True)


def test_a_conversation_that_the_program_does_not_know_any_more_is_begun_anew_under_its_name():
    earlier = replace(running(AgentMode.ONE_SHOT), session="theirs", begun=True)
    c = conversation.inherit(fresh(AgentMode.ONE_SHOT), earlier)
    first = conversation.plan_run(c, 1, session="unused", token="token")
    second = conversation.plan_run(conversation.switch_resume(first), 2, session="unused", token="token")
    assert (second.session, second.resumed) == ("theirs", False)


# --- ends of runs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flying", [pytest.param((), id="written"), pytest.param((Echoed("hi"),), id="under way")])
def test_what_was_in_flight_when_the_agent_died_is_sent_again_first_and_the_log_says_so(flying):
    c = running(AgentMode.HEADLESS, Queued(1), *flying, Queued(2))
    c, done = go(c, RunOver(final=False))
    assert moves(done) == [(1, "queued", None)]
    (event,) = [one for one in done if isinstance(one, MessageResent)]
    assert event == MessageResent(text="--- message 1 is resent: the agent ended before it answered ---")
    assert (c.queue, c.resent, c.held) == ((1, 2), (1,), True)
    c = conversation.plan_run(c, 2, session="other", token="")
    assert go(c, RunBegun(2))[1] == (Deliver(1),)


def test_what_a_change_over_cut_off_is_sent_again_and_the_log_says_why():
    c = replace(running(AgentMode.HEADLESS, Queued(1), Echoed("hi")), leaving=True)
    _, done = go(c, RunOver(final=False))
    (event,) = [one for one in done if isinstance(one, MessageResent)]
    assert event.text == "--- message 1 is resent: the session was switched over ---"


@pytest.mark.parametrize("flying", [(), (Echoed("hi"),)], ids=["written", "under way"])
def test_it_is_sent_again_once(flying):
    c = delivered()
    c, _ = go(c, RunOver(final=False))
    c, _ = go(conversation.plan_run(c, 2, session="", token=""), RunBegun(2), *flying)
    c, done = go(c, RunOver(final=False))
    assert moves(done) == [(1, "failed", "exited")]
    assert (c.queue, c.resent) == ((), ())
    told = "message 1 was given up: the agent ended twice before it answered"
    assert conversation.failed_message(c) is None, "its next run has not begun"
    c, _ = go(conversation.plan_run(c, 3, session="", token=""), RunBegun(3))
    assert conversation.failed_message(c) == told
    c, _ = go(c, Queued(2), Echoed("hi"))
    assert conversation.failed_message(c) is None


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (Undelivered("its program did not accept it"), "message 1 failed: its program did not accept it"),
        (
            TurnEnded(TurnResult(ok=False, reason="api_error")),
            "message 1 failed: the service of its model answered with an error",
        ),
        (TurnEnded(TurnResult(ok=False)), "message 1 failed"),
        (TurnEnded(TurnResult(ok=False, reason="interrupted")), None),
        (TurnEnded(OK), None),
    ],
)
def test_what_has_failed_last_is_known_until_something_follows(fact, told):
    c = running(AgentMode.INTERACTIVE, Queued(1), fact)
    assert conversation.failed_message(c) == told
    assert conversation.failed_message(go(c, Queued(2))[0]) is None


@pytest.mark.parametrize("begun", [(Queued(1), Echoed("hi")), (InputHeld(on=True), Queued(1))])
def test_what_an_end_for_good_cut_off_is_told_once_somebody_starts_the_agent_again(begun):
    c, _ = go(running(AgentMode.HEADLESS, *begun), RunOver(final=True))
    c, _ = go(conversation.plan_run(c, 2, session="", token=""), RunBegun(2))
    assert conversation.failed_message(c) == "message 1 failed: the agent ended before it answered"


@pytest.mark.parametrize("begun", [(), (Echoed("hi", "1"), ask(8))], ids=["it could not start", "a person has left it"])
@pytest.mark.parametrize("resent", [(), (1,)])
def test_what_a_persons_terminal_has_not_answered_either_is_sent_again_without_it(begun, resent):
    c, _ = go(replace(delivered(), resent=resent), ask(), ModeWanted(AgentMode.INTERACTIVE), RunOver(final=False))
    c = conversation.plan_run(c, 2, session="", token="")
    c, _ = go(c, RunBegun(2, conversation.first_prompt(c)), *begun)
    assert 1 in {c.sending, c.turn and c.turn.message}
    assert conversation.has_begun(c) is bool(begun)
    c, done = go(replace(c, wanted=AgentMode.HEADLESS), RunOver(final=False))
    assert moves(done) == [(1, "queued", None)]
    assert c.resent == resent, "the agent has not died with it"
    c = conversation.plan_run(c, 3, session="", token="")
    assert go(c, RunBegun(3))[1] == (Deliver(1),)


def test_an_end_without_another_run_fails_everything():
    c, done = go(delivered(), Queued(2), Queued(3), ask(), RunOver(final=True))
    assert moves(done) == [(1, "failed", "exited"), (2, "failed", "exited"), (3, "failed", "exited")]
    assert AskClosed(7) in done
    assert (c.queue, c.turn, c.open, c.running) == ((), None, (), 0)


def test_messages_wait_between_two_runs():
    c, done = go(running(), RunOver(final=False), Queued(1))
    assert (done, c.queue) == ((), (1,))


# --- questions ----------------------------------------------------------------------------------------------------


def test_a_question_opens_once_and_is_answered_once():
    c, done = go(delivered(), ask())
    assert done == (AskOpened(7), Notify("blocked"))
    assert (c.activity.word, c.activity.now) == ("waiting:permission", "Bash: touch x")
    c, done = go(c, Answered(7, YES, "a person"))
    assert done == (AskClosed(7, YES, "a person"), WriteAnswer(7, YES))
    assert c.activity.doing is ActivityKind.WORKING
    assert go(c, Answered(7, YES, "another")) == (c, ())


def test_a_rule_answers_without_anybody_waiting():
    c, done = go(delivered(), ask(ruled=(YES, "Bash(touch:*)")))
    assert done == (AskClosed(7, YES, "rule Bash(touch:*)"), WriteAnswer(7, YES))
    assert (c.open, c.activity.doing) == ((), ActivityKind.WORKING)


def test_an_answer_between_two_turns_begins_none():
    c, done = go(running(), ask(ruled=(YES, "Bash(touch:*)")))
    assert (done[-1], c.activity.doing) == (WriteAnswer(7, YES), ActivityKind.IDLE)
    c, _ = go(running(), ask(), Queued(1), Answered(7, YES, "a person"))
    assert c.sending == 1, "what waited for the answer follows"
    c, _ = go(running(), ask(), Answered(7, YES, "a person"))
    assert c.activity.doing is ActivityKind.IDLE


def test_only_the_first_of_several_questions_calls_somebody():
    c, done = go(delivered(), ask(7), ask(8, AgentNeed.PLAN))
    assert done.count(Notify("blocked")) == 1
    assert c.activity.need is AgentNeed.PERMISSION
    c, _ = go(c, Answered(7, YES, "a person"))
    assert (c.activity.doing, c.activity.need) == (ActivityKind.WAITING, AgentNeed.PLAN)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(AskCancelled("r7"), id="the program withdraws it"),
        pytest.param(AskCancelled(), id="the program withdraws all"),
        pytest.param(TurnEnded(OK), id="the turn ends"),
        pytest.param(ToolReturned("call", failed=False), id="its tool has run"),
        pytest.param(WaiterGone(7), id="whoever waited for the answer is gone"),
        pytest.param(RunOver(final=False), id="the agent dies"),
        pytest.param(RunOver(final=True), id="the mission ends"),
    ],
)
def test_a_question_is_withdrawn_when(end):
    c, _ = go(delivered(), ToolCalled("call", "Bash", "Bash: touch x"), ask())
    c, done = go(c, end)
    assert [one for one in done if isinstance(one, AskClosed)] == [AskClosed(7)]
    assert c.open == ()


@pytest.mark.parametrize(
    "said", [TextSpoken("text"), TextSpoken("thought", thought=True), ToolCalled("c", "Read", "Read: a")]
)
def test_what_else_it_says_does_not_hide_an_open_question(said):
    c, _ = go(delivered(), ask(), said)
    assert (c.activity.word, c.activity.now) == ("waiting:permission", "Bash: touch x")


def test_a_title_that_looks_idle_is_no_end_while_it_asks():
    c, _ = go(delivered(AgentMode.INTERACTIVE), ask())
    assert go(c, TurnEnded(None), source=ActivitySource.TITLE) == (c, ())


# --- what it is doing ---------------------------------------------------------------------------------------------


def test_activity_follows_what_it_says():
    c = running()
    assert c.activity == Activity(ActivityKind.IDLE, NOW)
    c, _ = go(c, Queued(1), Echoed("hi"), TextSpoken("first line\nsecond"))
    assert (c.activity.doing, c.activity.now, c.activity.source) == (
        ActivityKind.WORKING,
        "first line",
        ActivitySource.STREAM,
    )
    c, _ = go(c, ToolCalled("c1", "Bash", "Bash: pytest"), now=NOW + 5)
    assert (c.activity.since, c.activity.now) == (NOW, "⚙ Bash: pytest")
    c, _ = go(c, TurnEnded(OK), now=NOW + 9)
    assert c.activity == Activity(ActivityKind.IDLE, NOW + 9, now="done")


def test_while_the_program_tries_again_by_itself_it_is_limited_since_the_first_failure():
    c, _ = go(delivered(), Retrying(1, 10, 0.5, "overloaded 529"))
    c, _ = go(c, Retrying(2, 10, 1.5, "overloaded 529"), now=NOW + 1)
    assert c.activity == Activity(ActivityKind.LIMITED, NOW, now="overloaded 529", attempt=2, resume_at=NOW + 2.5)
    c, _ = go(c, TextSpoken("again"), now=NOW + 3)
    assert (c.activity.doing, c.activity.since) == (ActivityKind.WORKING, NOW + 3)


def test_a_limit_with_a_known_end_says_until_when():
    c, _ = go(delivered(), LimitReached(NOW + 60, "five hour limit reached"))
    assert c.activity == Activity(ActivityKind.LIMITED, NOW, now="five hour limit reached", resume_at=NOW + 60)


def test_a_turn_that_ended_at_a_limit_leaves_it_limited():
    result = TurnResult(ok=False, reason="limited", retry=Retry.WAIT, resume_at=NOW + 60)
    c, _ = go(delivered(), TurnEnded(result))
    assert (c.activity.doing, c.activity.resume_at) == (ActivityKind.LIMITED, NOW + 60)


@pytest.mark.parametrize(("lasted", "told"), [(agents_turns.LONG_TURN - 1, False), (agents_turns.LONG_TURN, True)])
def test_the_end_of_a_long_turn_is_worth_a_notification(lasted, told):
    _, done = go(delivered(), TurnEnded(OK), now=NOW + lasted)
    assert (Notify("your_turn") in done) is told


@pytest.mark.parametrize(
    ("c", "done"),
    [
        (delivered(), (Interrupt(),)),
        (running(), ()),
        (running(AgentMode.INTERACTIVE, ask()), (Interrupt(),)),
        (running(AgentMode.INTERACTIVE, ask(need=AgentNeed.SETUP)), ()),
        (running(AgentMode.INTERACTIVE, RunBegun(1, 1), ask(need=AgentNeed.SETUP)), ()),
        (running(AgentMode.INTERACTIVE, ask(need=AgentNeed.DRAFT)), ()),
    ],
    ids=["busy", "idle", "asks", "a dialog before its first turn", "one before its first message", "a person's draft"],
)
def test_an_interrupt_is_for_a_turn(c, done):
    assert go(c, InterruptAsked()) == (c, done)


# --- what it costs ------------------------------------------------------------------------------------------------


def paid(c, *totals, turns=None):
    """End a turn for each total of the program; return what each was counted as."""
    spent = []
    for total, turn in zip(totals, turns or (None,) * len(totals), strict=True):
        c, done = go(c, TurnBegan(), TurnEnded(replace(OK, cost_total=total, cost_turn=turn)))
        spent += [round(one.usd or 0.0, 6) for one in done if isinstance(one, talk.TurnPaid)]
    return c, spent


def test_a_programs_total_is_counted_by_its_differences():
    c, spent = paid(running(), 0.05, 0.10, 0.25)
    assert (spent, round(c.cost, 6), c.turns) == ([0.05, 0.05, 0.15], 0.25, 3)
    assert (c.input_tokens, c.output_tokens) == (51, 6)


def test_a_resumed_conversation_counts_on():
    c, _ = paid(running(), 0.05)
    c, _ = go(conversation.plan_run(go(c, RunOver(final=False))[0], 2, session="", token=""), RunBegun(2))
    assert paid(c, 0.08)[1] == [0.03]


def test_a_killed_program_goes_back_to_what_it_had_saved_and_its_turns_count_all_the_same():
    c, _ = paid(running(), 0.10, 0.20, turns=(0.10, 0.10))
    c, spent = paid(c, 0.07, 0.14, 0.21, turns=(0.07, 0.07, 0.07))
    assert spent == [0.07, 0.07, 0.07]
    assert round(c.cost, 6) == 0.41


def test_a_killed_program_whose_next_turn_is_dearer_than_all_before():
    assert paid(paid(running(), 0.10, turns=(0.10,))[0], 0.50, turns=(0.50,))[1] == [0.50]


def test_what_a_person_spent_on_a_terminal_shows_in_the_next_total():
    assert paid(paid(running(), 0.10, turns=(0.10,))[0], 0.50, turns=(0.05,))[1] == [0.40]


def test_what_a_person_spent_before_the_first_message_counts_too():
    assert paid(running(), 0.50, turns=(0.05,))[1] == [0.50]


def test_each_run_of_a_task_has_a_conversation_and_a_total_of_its_own():
    c, spent = paid(running(AgentMode.ONE_SHOT), 0.05)
    c = conversation.plan_run(go(c, RunOver(final=False))[0], 2, session="second", token="")
    c, more = paid(go(c, RunBegun(2))[0], 0.05)
    assert (c.session, spent + more, round(c.cost, 6)) == ("second", [0.05, 0.05], 0.10)


def test_another_conversation_of_the_persons_is_not_counted_for_what_it_cost_before():
    c, _ = paid(running(), 0.10)
    c, done = go(c, SessionNamed("theirs"))
    assert (c.session, c.begun, done[0]) == ("theirs", False, ConversationChanged(session_id="theirs"))
    assert paid(c, 9.00, turns=(0.05,))[1] == [0.05]


def test_another_conversation_of_the_persons_is_no_adopted_one():
    adopted = conversation.adopt(running(), "kept", 3.5)
    assert (adopted.session, adopted.begun, adopted.adopted, adopted.cost_total) == ("kept", True, True, 3.5)
    assert not go(adopted, SessionNamed("theirs"))[0].adopted


def test_what_a_program_is_told_first_goes_before_the_first_message_of_ours_alone():
    adopted = replace(conversation.adopt(running(), "kept", None), run=1)
    copied = forked()
    assert all(map(conversation.is_first_message, (replace(running(), begun=False), adopted, copied)))
    answered = replace(adopted, last=TurnResult(ok=True))
    stored = replace(copied, begun=True, copied=True)
    later = (answered, replace(adopted, run=2), stored, replace(running(), begun=True))
    assert not any(map(conversation.is_first_message, later))


def test_a_turn_of_which_nobody_knows_the_cost_is_not_free():
    c, done = go(running(), TurnBegan(), TurnEnded(OK))
    assert [one.usd for one in done if isinstance(one, talk.TurnPaid)] == [None]
    assert (c.unpriced, c.turns, c.input_tokens) == (True, 1, 17)


# --- runs and modes -----------------------------------------------------------------------------------------------

PLANS = [
    # what was before, how the next run begins: session, resumed
    pytest.param(fresh(), "session", False, id="the first run has the id that was chosen"),
    pytest.param(fresh(AgentMode.ONE_SHOT), "session", False, id="so has a task's"),
    pytest.param(fresh(run=1), "session", False, id="without a prompt there is nothing to resume"),
    pytest.param(fresh(run=1, begun=True), "session", True, id="a session resumes its conversation"),
    pytest.param(fresh(AgentMode.INTERACTIVE, run=3, begun=True), "session", True, id="also on a terminal"),
    pytest.param(fresh(AgentMode.ONE_SHOT, run=1, begun=True), "new", False, id="a task begins anew"),
]


@pytest.mark.parametrize(("before", "session", "resumed"), PLANS)
def test_plans(before, session, resumed):
    after = conversation.plan_run(before, before.run + 1, session="new", token="t")
    assert (after.session, after.resumed, after.token) == (session, resumed, "t")


SOURCE = conversation.ForkPoint("source", "place")


def forked(**fields):
    """A fork in its first run."""
    source = fresh(cost_total=0.40)
    c = conversation.begin_as_copy(fresh(), SOURCE, source)
    return conversation.plan_run(replace(c, **fields), 1, session="unused", token="")


def test_a_fork_is_copied_again_under_another_name_until_its_copy_is_stored():
    """A program that was killed as it copied may have left half a copy, and the name of that is in use."""
    first = forked()
    assert (first.session, conversation.fork_of_run(first)) == ("session", SOURCE)
    killed, _ = go(first, RunBegun(1), Queued(1), Echoed("hi"), RunOver(final=False))
    again = conversation.plan_run(killed, 2, session="other", token="")
    assert (again.session, conversation.fork_of_run(again), again.queue) == ("other", SOURCE, (1,))
    assert again.cost_total == 0.40
    answered, _ = go(again, RunBegun(2), Echoed("hi"), MarkReached("own"), RunOver(final=False))
    resumed = conversation.plan_run(answered, 3, session="third", token="")
    assert (resumed.session, resumed.resumed, conversation.fork_of_run(resumed)) == ("other", True, None)
    lost = conversation.plan_run(conversation.switch_resume(resumed), 4, session="fourth", token="")
    assert (lost.session, conversation.fork_of_run(lost)) == ("fourth", SOURCE), "the copy was not whole"


def test_a_fork_whose_turn_is_over_is_a_conversation_like_any_other():
    c, _ = go(forked(), RunBegun(1), Queued(1), Echoed("hi"), MarkReached("own"), TurnEnded(OK))
    assert (c.begun, c.copied, c.mark) == (True, True, "own")
    gone = conversation.plan_run(conversation.switch_resume(replace(c, resumed=True)), 2, session="new", token="")
    assert (conversation.fork_of_run(gone), gone.begun) == (None, False)


def test_a_program_that_names_its_copy_has_stored_it():
    c, _ = go(forked(), RunBegun(1, opens=True), SessionNamed("theirs", forks=True))
    assert (c.session, c.begun, c.copied, c.forks, c.cost_total) == ("theirs", True, False, True, 0.40)
    assert conversation.fork_of_run(c) == SOURCE, "until the next run, which goes on with it"
    again = conversation.plan_run(c, 2, session="unused", token="")
    assert (again.session, again.resumed, conversation.fork_of_run(again)) == ("theirs", True, None)


def test_the_name_that_a_screen_begins_with_is_no_change_of_the_conversation():
    """Where the opener's report was lost, the program itself tells it: with its first prompt."""
    c, done = go(fresh(AgentMode.INTERACTIVE), RunBegun(1), SessionNamed("theirs", begins=True))
    assert (c.session, c.begun, c.lost, done) == ("theirs", False, 0, ())
    copy, done = go(forked(), RunBegun(1), SessionNamed("theirs", begins=True))
    assert (copy.session, copy.begun, copy.copied, copy.lost, done) == ("theirs", True, False, 0, ())
    left, _ = go(copy, SessionNamed("other", begins=True))
    assert (left.session, left.lost) == ("other", 1)


@pytest.mark.parametrize("name", ["--yolo", "../../x", "a\0b", "a b", "x" * 200_000])
def test_a_name_that_is_no_word_is_none_on_a_screen(name):
    """Its program would be given it as an argument."""
    begun = fresh(AgentMode.INTERACTIVE)
    c, done = go(begun, RunBegun(1), SessionNamed(name, begins=True))
    assert (c.session, done) == (begun.session, ())


@pytest.mark.parametrize("reason", ["interrupted", "api_error"])
def test_a_first_turn_on_a_screen_that_went_wrong_stays_in_the_fork(reason):
    """The program goes on behind it, and has it in what it stores; where that is not whole, it is copied again."""
    screen, result = AgentMode.INTERACTIVE, TurnResult(ok=False, reason=reason)
    c, _ = go(forked(home=screen, mode=screen, wanted=screen), RunBegun(1))
    c, _ = go(c, Echoed("typed"), TurnEnded(result), RunOver(final=False), source=ActivitySource.HOOK)
    again = conversation.plan_run(c, 2, session="other", token="")
    assert (again.session, again.resumed, conversation.fork_of_run(again)) == ("session", True, None)
    gone = conversation.plan_run(conversation.switch_resume(again), 3, session="third", token="")
    assert (gone.session, conversation.fork_of_run(gone)) == ("third", SOURCE)


def test_the_cost_of_a_fork_begins_at_nothing():
    c, _ = go(forked(), RunBegun(1), Queued(1), Echoed("hi"))
    more_was_spent_by_the_source = TurnResult(ok=True, cost_turn=0.05, cost_total=0.60)
    c, _ = go(c, TurnEnded(more_was_spent_by_the_source))
    assert c.cost == 0.05
    c, _ = go(c, Queued(2), Echoed("hi"), TurnEnded(TurnResult(ok=True, cost_turn=0.05, cost_total=0.65)))
    assert round(c.cost, 6) == 0.10
    told_in_sums_alone, _ = go(
        forked(), RunBegun(1), Queued(1), Echoed("hi"), TurnEnded(TurnResult(True, cost_total=0.5))
    )
    assert round(told_in_sums_alone.cost, 6) == 0.10


def test_a_fork_ends_with_the_last_turn_that_went_well():
    interrupted = TurnResult(ok=False, reason="interrupted")
    c, done = go(running(), Queued(1), Echoed("hi"), MarkReached("a"), MarkReached("b"), TurnEnded(OK))
    assert c.mark == "b"
    assert [(one.mark, one.lost) for one in done if isinstance(one, MessageMoved) and one.state == "answered"] == [
        ("b", 0)
    ]
    c, _ = go(c, Queued(2), Echoed("hi"), MarkReached("c"), TurnEnded(interrupted))
    assert c.mark == "b"
    person, _ = go(replace(c, mode=AgentMode.INTERACTIVE), Echoed("typed"), TurnEnded(None), source=ActivitySource.HOOK)
    assert person.mark == "", "the place of a turn on a terminal has no name"
    other, _ = go(c, SessionNamed("another"))
    assert (other.mark, other.lost) == ("", 1)


def test_a_run_that_was_planned_keeps_its_plan():
    c = conversation.plan_run(fresh(), 1, session="a", token="a")
    assert conversation.plan_run(c, 1, session="b", token="b") is c


@pytest.mark.parametrize("home", [AgentMode.HEADLESS, AgentMode.INTERACTIVE])
def test_a_turn_that_is_cut_off_is_not_judged_by_the_one_before(home):
    refused = TurnResult(ok=False, reason="not_logged_in", retry=Retry.NEVER)
    c, _ = go(delivered(home), TurnEnded(refused))
    assert c.last.reason == "not_logged_in"
    c, _ = go(c, Queued(2), Echoed("hi", "2"))
    assert c.last is None


def test_a_plan_forgets_what_belonged_to_the_run_before():
    before = fresh(run=1, leaving=True, seq=9, input_closed=True, last=OK)
    c = conversation.plan_run(before, 2, session="", token="")
    assert (c.leaving, c.seq, c.input_closed, c.last) == (False, 0, False, None)


@pytest.mark.parametrize("resumed", [True, False])
def test_a_program_that_knew_better_is_started_the_other_way_round(resumed):
    c = conversation.switch_resume(conversation.plan_run(fresh(run=1, begun=resumed), 2, session="", token=""))
    assert (conversation.plan_run(c, 3, session="", token="").resumed, c.switched) == (not resumed, True)


def test_a_program_that_refused_has_not_read_its_message():
    refused = TurnResult(ok=False, reason="wrong_start", retry=Retry.SWITCH)
    c, done = go(running(AgentMode.HEADLESS, Queued(1), Queued(2)), TurnEnded(refused))
    assert (done, c.sending, c.last.retry) == ((), 1, Retry.SWITCH)
    c, done = go(conversation.switch_resume(c), RunOver(final=False))
    assert (done, c.queue, c.resent) == ((), (1, 2), ())


FIRSTS = [
    pytest.param(fresh(AgentMode.INTERACTIVE, queue=(4, 5)), 4, id="of a new conversation"),
    pytest.param(fresh(AgentMode.INTERACTIVE, queue=(4, 5), begun=True), None, id="of one with a past: it is typed"),
    pytest.param(fresh(AgentMode.INTERACTIVE, queue=(4,), begun=True, resent=(4,)), 4, id="one to be sent again"),
    pytest.param(fresh(AgentMode.INTERACTIVE, queue=(4,), begun=True, cut_off=4), 4, id="one that was cut off"),
    pytest.param(fresh(AgentMode.INTERACTIVE), None, id="nothing to say"),
    pytest.param(fresh(AgentMode.HEADLESS, queue=(4,)), None, id="by pipe it comes as any other"),
]


@pytest.mark.parametrize(("c", "first"), FIRSTS)
def test_the_message_with_which_a_terminal_begins(c, first):
    assert conversation.first_prompt(c) == first


def test_a_message_that_was_an_argument_is_not_typed_as_well():
    c = conversation.plan_run(fresh(AgentMode.INTERACTIVE, queue=(1, 2)), 1, session="", token="")
    c, done = go(c, RunBegun(1, conversation.first_prompt(c)))
    assert (done, c.sending, c.queue) == ((), 1, (2,))
    c, done = go(c, Echoed("hi", "1"), TurnEnded(None))
    assert (moves(done), done[-1]) == ([(1, "delivered", None), (1, "answered", None)], Deliver(2))


# --- hand-over ----------------------------------------------------------------------------------------------------


def test_an_idle_agent_is_handed_over_at_once():
    c, done = go(running(), ModeWanted(AgentMode.INTERACTIVE))
    assert done == (CloseInput(),)
    assert (c.leaving, c.input_closed, conversation.is_handed_over(c)) == (True, True, True)
    c = conversation.plan_run(go(c, RunOver(final=False))[0], 2, session="", token="")
    assert (c.mode, c.wanted) == (AgentMode.INTERACTIVE, AgentMode.INTERACTIVE)


def test_a_turn_under_way_is_finished_first():
    c, done = go(delivered(), Queued(2), ModeWanted(AgentMode.INTERACTIVE))
    assert done == ()
    c, done = go(c, TurnEnded(OK))
    assert (moves(done), done[-1], c.queue) == ([(1, "answered", None)], CloseInput(), (2,))


@pytest.mark.parametrize("order", [1, -1], ids=["it asks, somebody attaches", "somebody attaches, it asks"])
def test_an_agent_that_waits_is_handed_over_at_once_and_asks_again(order):
    c, done = go(delivered(), *(ask(), ModeWanted(AgentMode.INTERACTIVE))[::order])
    assert done[-1] == EndRun(Cause.CHANGE_OVER, conversation_step.CHANGE_GRACE)
    c, done = go(c, RunOver(final=False))
    assert (moves(done), AskClosed(7) in done) == ([(1, "queued", None)], True)
    c = conversation.plan_run(c, 2, session="", token="")
    assert (c.mode, conversation.first_prompt(c)) == (AgentMode.INTERACTIVE, 1)


def test_somebody_who_gives_up_before_the_turn_is_over_changes_nothing():
    c, _ = go(delivered(), ModeWanted(AgentMode.INTERACTIVE), ModeWanted(AgentMode.HEADLESS))
    assert not conversation.is_handed_over(c)
    assert go(c, Queued(2), TurnEnded(OK))[1][-1] == Deliver(2)


def handed_over(*facts, **fields):
    c, _ = go(running(), ModeWanted(AgentMode.INTERACTIVE), RunOver(final=False))
    c = conversation.plan_run(c, 2, session="", token="")
    return go(replace(c, **fields), RunBegun(2), TurnEnded(None), *facts)[0]


def test_while_a_person_has_it_nothing_is_typed():
    assert go(handed_over(), Queued(1))[1] == ()


def test_it_is_given_back_when_it_is_idle():
    c, done = go(handed_over(Echoed("typed")), ModeWanted(AgentMode.HEADLESS))
    assert done == ()
    c, done = go(c, TurnEnded(None))
    assert (done, c.leaving) == ((LeaveProgram(),), True)
    c = conversation.plan_run(go(c, RunOver(final=False))[0], 3, session="", token="")
    assert (c.mode, conversation.is_handed_over(c)) == (AgentMode.HEADLESS, False)


def test_who_comes_back_before_it_is_idle_keeps_it():
    c, done = go(
        handed_over(Echoed("typed")), ModeWanted(AgentMode.HEADLESS), ModeWanted(AgentMode.INTERACTIVE), TurnEnded(None)
    )
    assert (done, c.leaving) == ((), False)


def test_what_waited_while_a_person_had_it_is_delivered_afterwards():
    c, done = go(handed_over(Queued(1)), ModeWanted(AgentMode.HEADLESS))
    assert done == (LeaveProgram(),)
    c = conversation.plan_run(go(c, RunOver(final=False))[0], 3, session="", token="")
    assert go(c, RunBegun(3))[1] == (Deliver(1),)


LIMIT = LimitReached(NOW + 3600, "five hour limit reached")
REFUSED = TurnResult(ok=False, reason="limited", text="You've hit your limit")
UNTIL = [
    ("the end was told before", (LIMIT, TurnEnded(REFUSED)), (Retry.WAIT, NOW + 3600)),
    ("nobody knows the end", (LimitReached(None, "no credit"), TurnEnded(REFUSED)), (Retry.POLICY, None)),
    ("its own tries are no limit", (Retrying(1, 3, 5.0, "429"), TurnEnded(REFUSED)), (Retry.POLICY, None)),
    ("it went on", (LIMIT, TextSpoken("on"), TurnEnded(REFUSED)), (Retry.POLICY, None)),
]


@pytest.mark.parametrize(("case", "facts", "expected"), UNTIL)
def test_a_turn_that_a_limit_ended_waits_for_its_end(case, facts, expected):
    c, _ = go(running(AgentMode.ONE_SHOT), TurnBegan(), *facts)
    assert (c.last.retry, c.last.resume_at) == expected, case


def test_the_model_is_the_one_that_the_program_names():
    c, _ = go(running(), SessionNamed("session", "opus"), SessionNamed("session"))
    assert c.model == "opus"


def test_a_conversation_that_can_not_be_opened_takes_no_message_and_its_reason_is_shown_safely():
    c, _ = go(fresh(), RunBegun(1, opens=True), Queued(1))
    refused = TurnResult(ok=False, reason="usage_error", text="no mode \x1b[31mx")
    c, done = go(c, NotOpened(refused))
    assert done == (StartFailed(text=f"--- could not start: {display_safe(refused.text)} ---"), CloseInput())
    assert "\x1b" not in display_safe(refused.text)
    assert (c.queue, c.sending, c.input_closed) == ((1,), None, True)
