"""What a conversation costs where its program tells call by call, or dies before it tells: each call once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.agents import conversation_step, spending
from overmind_core.domain.agents.agent import ActivitySource, AgentMode
from overmind_core.domain.agents.agent_events import (
    CostTotalled,
    Echoed,
    FilePosition,
    ModelCalled,
    TokenUsage,
    TurnBegan,
    TurnEnded,
    TurnResult,
    UsageRead,
)
from overmind_core.domain.agents.conversation import Conversation, plan_run
from overmind_core.domain.agents.conversation_events import MessageMoved, Queued, RunBegun, RunOver, TurnPaid
from overmind_core.domain.agents.events import TurnFinished
from overmind_core.domain.agents.prices import Price

NOW = 1000.0
PATH = "/home/x.jsonl"
ENDED = TurnEnded(TurnResult(ok=True, text="done"))


def call(name="m1", read=100, written=10, usd: float | None = 0.25, *, final=False):
    return ModelCalled(name, TokenUsage(read, written), usd, final)


def read(*figures, to=1):
    return UsageRead(PATH, (FilePosition("", to),), figures)


def go(c, *facts):
    done: tuple[object, ...] = ()
    for fact in facts:
        c, effects = conversation_step.step(c, fact, NOW, source=ActivitySource.HOOK)
        done += effects
    return c, done


def at_terminal(*facts):
    home = AgentMode.INTERACTIVE
    c = plan_run(Conversation("session", home, home, home, held=True), 1, session="", token="token")
    c, _ = go(c, RunBegun(1), TurnEnded(None))
    return go(spending.files_at(c, PATH, 0.0), *facts)


def on_pipes(*facts):
    home = AgentMode.HEADLESS
    c = plan_run(Conversation("session", home, home, home, held=True), 1, session="", token="token")
    return go(c, RunBegun(1), *facts)


def paid(done):
    return [(one.usd, *one.usage[:2], one.turns) for one in done if isinstance(one, TurnPaid)]


def figures(c):
    return round(c.cost, 6), c.input_tokens, c.output_tokens, c.turns


def test_what_a_person_types_on_a_terminal_is_counted_call_by_call():
    c, done = at_terminal(Echoed("typed"), read(call("m1"), call("m2", final=True)), ENDED)
    assert paid(done) == [(0.5, 200, 20, 2)]
    assert figures(c) == (0.5, 200, 20, 2)
    (finished,) = [one for one in done if isinstance(one, TurnFinished)]
    assert (finished.cost_usd, finished.turns) == (0.5, 2)


def test_what_a_server_beside_a_terminal_tells_is_paid_as_it_comes_and_once():
    c, done = at_terminal(Echoed("typed"), call("m1"), call("m1"), call("m2", final=True))
    assert paid(done) == [(0.25, 100, 10, 1), (0.25, 100, 10, 1)]
    c, done = go(c, call("m2", final=True), ENDED, call("m2"))
    assert paid(done) == []
    assert figures(c) == (0.5, 200, 20, 2)
    (finished,) = [one for one in done if isinstance(one, TurnFinished)]
    assert (finished.cost_usd, finished.turns) == (0.5, 2)


def test_a_message_on_a_terminal_is_told_what_its_turn_has_cost():
    c, done = at_terminal(Queued(1), Echoed("hi", "1"), read(call(final=True)), ENDED)
    result = next(one.result for one in done if isinstance(one, MessageMoved) and one.state == "answered")
    assert result is not None
    assert (result.cost_turn, result.usage.input, result.turns) == (0.25, 100, 1)
    assert c.turn is None


AGAIN = [
    pytest.param([call()], [(0.25, 100, 10, 1)], id="a line of the same message"),
    pytest.param([call(written=90, usd=0.75)], [(0.25, 100, 10, 1), (0.5, 0, 80, 0)], id="more is known of it"),
]


@pytest.mark.parametrize(("more", "counted"), AGAIN)
def test_a_call_counts_once_however_often_it_is_told(more, counted):
    c, done = at_terminal(Echoed("typed"), read(call()), read(*more, to=2))
    assert paid(done) == counted
    assert c.turns == 1


def test_a_call_of_another_file_is_none_of_ours():
    c, done = at_terminal(replace_path(read(call()), "/other.jsonl"))
    assert (paid(done), c.cost) == ([], 0.0)


def replace_path(fact, path):
    return fact._replace(path=path)


def test_the_programs_own_sum_is_the_truth_when_it_ends():
    c, done = at_terminal(Echoed("typed"), read(call()), read(CostTotalled(0.40), to=2))
    assert [one[0] for one in paid(done)] == [0.25, pytest.approx(0.15)]
    assert figures(c) == (0.4, 100, 10, 1)


def test_a_sum_that_is_known_already_adds_nothing():
    c, done = at_terminal(Echoed("typed"), read(call(), CostTotalled(0.25)), read(CostTotalled(0.25), to=2))
    assert (paid(done), c.cost) == ([(0.25, 100, 10, 1)], 0.25)


def test_turns_on_a_terminal_are_not_counted_again_by_the_next_total_on_pipes():
    c, _ = at_terminal(Echoed("typed"), read(call(), CostTotalled(0.25)), ENDED, RunOver(final=False))
    c = plan_run(replace(c, home=AgentMode.HEADLESS, wanted=AgentMode.HEADLESS), 2, session="", token="")
    result = TurnResult(ok=True, cost_total=0.45, cost_turn=0.20, turns=1)
    c, done = go(c, RunBegun(2), TurnBegan(), TurnEnded(result))
    assert [one.usd for one in done if isinstance(one, TurnPaid)] == [pytest.approx(0.20)]
    assert round(c.cost, 6) == 0.45


def test_a_model_without_a_price_is_unknown_and_not_free():
    c, done = at_terminal(Echoed("typed"), read(call(usd=None)), ENDED)
    assert paid(done) == [(None, 100, 10, 1)]
    assert spending.cost_of(c) is None
    c, _ = go(c, Echoed("typed"), read(call("m2"), to=2))
    assert spending.cost_of(c) == 0.25


def test_a_turn_that_died_with_its_program_counts_what_it_had_used():
    c, done = on_pipes(TurnBegan(), call("m1"), call("m1"), call("m2"), RunOver(final=False))
    assert paid(done) == [(0.5, 200, 20, 2)]
    assert figures(c) == (0.5, 200, 20, 2)
    assert c.counted == ()


def test_a_turn_on_pipes_is_counted_by_its_result_alone():
    result = TurnResult(ok=True, cost_total=0.3, cost_turn=0.3, usage=TokenUsage(120, 12), turns=2)
    c, done = on_pipes(TurnBegan(), call("m1"), call("m2"), TurnEnded(result), RunOver(final=False))
    assert paid(done) == [(0.3, 120, 12, 2)]
    assert figures(c) == (0.3, 120, 12, 2)


def test_what_a_process_counts_as_a_whole_is_counted_turn_by_turn_and_from_nothing_in_the_next_one():
    def ended(*total, **more):
        return TurnEnded(TurnResult(ok=True, process_usage=TokenUsage(*total), **more))

    c, done = on_pipes(TurnBegan(), ended(100, 10), TurnBegan(), ended(250, 30, usage=TokenUsage(250, 30)))
    assert [one[1:3] for one in paid(done)] == [(100, 10), (150, 20)]
    c, done = go(c, TurnBegan(), TurnEnded(TurnResult(ok=False, reason="api_error")), TurnBegan(), ended(260, 31))
    assert [one[1:3] for one in paid(done)][-1] == (10, 1)
    c, _ = go(c, RunOver(final=False))
    c, done = go(plan_run(c, 2, session="", token=""), RunBegun(2), TurnBegan(), ended(70, 7))
    assert [one[1:3] for one in paid(done)] == [(70, 7)]
    assert figures(c)[1:3] == (330, 38)


PRICE = Price(1_000.0, 10_000.0)
"""A tenth of a cent for each token read, one for each that was written."""


def priced(c, *facts):
    done: tuple[object, ...] = ()
    for fact in facts:
        c, effects = conversation_step.step(c, fact, NOW, price=PRICE)
        done += effects
    return c, done


def untold(name="1"):
    return call(name, usd=None)


USED = TurnEnded(TurnResult(ok=True, usage=TokenUsage(200, 20)))


def test_what_a_program_does_not_tell_in_dollars_is_estimated_once_a_turn():
    c, _ = on_pipes()
    c, done = priced(c, TurnBegan(), untold("1"), untold("2"), USED, TurnBegan(), USED)
    assert paid(done) == [(pytest.approx(0.4), 200, 20, 0)] * 2
    assert spending.cost_of(c) == pytest.approx(0.8)
    assert spending.cost_source(c) == "estimated"
    first = next(one for one in done if isinstance(one, TurnFinished))
    assert (first.cost_usd, first.cost_source, first.text) == (0.4, "estimated", "--- ~$0.40 at your prices ---")
    assert not spending.is_partial(c)


@pytest.mark.parametrize("told", [{"cost_total": 0.3}, {"cost_turn": 0.3}])
def test_dollars_that_a_program_tells_are_never_estimated(told):
    c, done = priced(on_pipes()[0], TurnBegan(), TurnEnded(TurnResult(ok=True, usage=TokenUsage(200, 20), **told)))
    assert (paid(done)[0][0], spending.cost_source(c)) == (0.3, "reported")
    assert next(one for one in done if isinstance(one, TurnFinished)).text is None


def test_of_a_turn_that_its_program_died_in_counts_what_was_told_and_the_rest_is_unknown():
    c, done = priced(on_pipes()[0], TurnBegan(), *(untold(str(one)) for one in range(100)), RunOver(final=False))
    assert paid(done) == [(pytest.approx(20.0), 10_000, 1000, 100), (None, 0, 0, 0)]
    assert (spending.cost_source(c), spending.is_partial(c)) == ("estimated", True)


def test_between_turns_nothing_is_lost():
    c, done = priced(on_pipes()[0], TurnBegan(), untold(), USED, RunOver(final=False))
    assert len(paid(done)) == 1
    assert not spending.is_partial(c)


def test_without_a_price_and_before_anything_was_used_nobody_knows_a_cost():
    c, _ = on_pipes()
    assert (spending.cost_of(c), spending.cost_source(c)) == (None, None)
    c, done = go(c, TurnBegan(), untold(), USED)
    assert (spending.cost_of(c), spending.cost_source(c), paid(done)[0][0]) == (None, None, None)
    assert next(one for one in done if isinstance(one, TurnFinished)).cost_usd is None
    c, _ = priced(c, TurnBegan(), USED)  # a price came
    assert spending.cost_of(c) == pytest.approx(0.4)
    assert spending.is_partial(c)


def to_pipes(c, run=2):
    c, _ = go(c, RunOver(final=False))
    return plan_run(replace(c, home=AgentMode.HEADLESS, wanted=AgentMode.HEADLESS), run, session="", token="")


def test_calls_of_the_screen_are_not_paid_again_when_a_turn_on_pipes_is_killed():
    c, _ = at_terminal(Echoed("typed"), read(call("m1"), call("m2", final=True)), ENDED)
    c, done = go(to_pipes(c), RunBegun(2), TurnBegan(), call("m3"), RunOver(final=False))
    assert paid(done) == [(0.25, 100, 10, 1)]
    assert figures(c) == (0.75, 300, 30, 3)


def test_an_estimate_is_no_total_of_the_program_so_the_end_of_a_killed_turn_stays_unknown():
    c, _ = at_terminal()
    c, _ = priced(c, Echoed("typed"), read(untold()), ENDED)
    c, done = priced(to_pipes(c), RunBegun(2), TurnBegan(), untold("2"), RunOver(final=False))
    assert paid(done) == [(pytest.approx(0.2), 100, 10, 1), (None, 0, 0, 0)]
    c, done = priced(plan_run(c, 3, session="", token=""), RunBegun(3), TurnBegan(), RunOver(final=False))
    assert paid(done) == [(None, 0, 0, 0)]
    assert (round(c.cost, 6), spending.is_partial(c)) == (0.4, True)


def test_a_turn_of_which_nobody_tells_anything_is_unknown_and_not_free():
    c, done = on_pipes(TurnBegan(), ENDED)
    assert paid(done) == [(None, 0, 0, 0)]
    assert (spending.cost_of(c), spending.cost_source(c)) == (None, None)
    assert next(one for one in done if isinstance(one, TurnFinished)).cost_usd is None
    c, _ = priced(c, TurnBegan(), USED)
    assert (round(c.cost, 6), spending.is_partial(c)) == (0.4, True)


def test_a_turn_that_is_in_the_next_total_of_its_program_is_known():
    def totalled(usd):
        return TurnEnded(TurnResult(ok=True, cost_total=usd))

    c, done = on_pipes(TurnBegan(), totalled(0.0), TurnBegan(), totalled(0.3), TurnBegan(), ENDED, TurnBegan(),
                       totalled(0.4))  # fmt: skip
    assert [one[0] for one in paid(done)] == [0.0, 0.3, 0.0, pytest.approx(0.1)]
    assert (spending.cost_of(c), spending.is_partial(c)) == (0.4, False)


def test_a_call_without_a_price_is_unknown_also_beside_one_that_has_one():
    c, done = at_terminal(Echoed("typed"), read(call("m1"), call("m2", usd=None)), ENDED)
    assert paid(done) == [(0.25, 200, 20, 2), (None, 0, 0, 0)]
    assert (spending.cost_of(c), spending.is_partial(c)) == (0.25, True)
