"""What a row says of runs: since when, which one, why it ended, and whose it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from overmind_core.domain.missions.reasons import CONVERSATION_LOST
from overmind_core.errors import OvermindError
from overmind_core.view import hints
from overmind_core.view import inbox as inbox_rows
from overmind_core.view import missions as missions_rows
from overmind_core.view import plans as plans_rows
from overmind_core.view.columns import Order
from overmind_core.view.fleet import Fleet, plan_now
from overmind_tui.command_line.jobs import Outcome
from overmind_tui.command_line.parse import Do, Language, parsed
from overmind_tui.command_line.run import CommandRun
from overmind_tui.command_line.verbs import VERBS, Verb
from overmind_tui.missions.actions_end import Request, each
from overmind_tui.pages.dialog import Dialog
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import ROWS
from tests.tui.test_traps import Asked, run
from tests.tui.test_view import NOON, row


def said_in(line):
    """The text of the line."""
    return " ".join(line.render_line(y).text.strip() for y in range(line.size.height))


RUN = {"started_at": "2026-01-01T11:00:00.000Z", "run_started_at": "2026-01-01T11:59:58.000Z", "run": 4}


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (row("a", **RUN), "working for 2s · run 4"),
        (row("a", "crashed", **RUN, ended_at="2026-01-01T11:59:59.000Z"), "failed after 1s · run 4"),
        (row("a", **RUN | {"run": 1}), "working for 2s"),
        (row("a", started_at=RUN["started_at"]), "working for 1h"),
    ],
    ids=["live", "ended", "the first", "of an older supervisor"],
)
def test_how_long_counts_from_the_newest_run_which_is_numbered(shown, words):
    assert missions_rows.since(shown, NOON) == words


def test_an_order_by_how_long_a_state_lasts_is_not_one_by_age():
    old = row("old", **RUN)
    young = row("young", started_at="2026-01-01T11:30:00.000Z", run_started_at="2026-01-01T11:30:00.000Z", run=1)
    assert [one["id"] for one in Order("for").of([old, young], NOON)] == ["young", "old"]
    assert [one["id"] for one in Order("age").of([old, young], NOON)] == ["young", "old"][::-1]


OF_ENGINE = row("e", "crashed", reason="keeper_lost", ended_at="2026-01-01T11:58:00.000Z", now="keeper_lost: a line")
LOST = {**OF_ENGINE, "id": "a", "name": "a", "ended_at": "2026-01-01T11:59:00.000Z", "lost": True}


def test_what_was_lost_with_its_keeper_is_told_counted_and_needs_somebody():
    assert missions_rows.now_cell(LOST) == ("lost with its keeper", "bad")
    lost = missions_rows.lost([LOST, row("b"), row("c", "crashed"), OF_ENGINE])
    assert [one["id"] for one in lost] == ["a"]
    text = missions_rows.lost_text([*lost, *lost], None)
    assert text.startswith("2 missions were lost with their keeper at 2026-01-01 ")
    assert text.endswith(":restart --lost restarts them")
    (need,) = inbox_rows.needs([LOST, row("b"), OF_ENGINE], (), NOON)
    assert (need.row["id"], need.group, need.summary) == ("a", "lost with the keeper", "lost with its keeper")


def test_an_agent_that_has_lost_its_conversation_needs_somebody_while_it_lives():
    forgetful = row("a", conversation_lost=True, provider="claude", activity="working")
    (need,) = inbox_rows.needs([forgetful], (), NOON)
    assert (need.group, need.summary) == ("your turn", CONVERSATION_LOST)
    assert inbox_rows.needs([{**forgetful, "status": "stopped"}], (), NOON) == []


def test_an_agent_whose_last_message_failed_says_so_in_the_list_and_among_what_needs_somebody():
    told = "message 1 was given up: the agent ended twice before it answered"
    failed = row("a", failed_message=told, now="its last words", provider="claude", activity="idle", unseen=True)
    assert missions_rows.now_cell(failed) == (told, "bad")
    (need,) = inbox_rows.needs([failed], (), NOON)
    assert (need.group, need.summary) == ("your turn", told)


def test_what_only_the_engine_needs_is_told_as_lost_and_needs_nobody():
    assert missions_rows.now_cell(OF_ENGINE) == ("lost with its keeper", "bad")
    assert missions_rows.lost([OF_ENGINE]) == []
    assert inbox_rows.needs([OF_ENGINE], (), NOON) == []


def test_the_line_says_who_was_lost_until_nobody_is():
    async def scenario(app, pilot):
        await pilot.pause()
        app.notice.clear()
        app.main.refresh_line()
        await pilot.pause()
        assert "1 mission was lost with its keeper" in app.main.absence
        assert "1 mission was lost with its keeper" in said_in(app.main.line)
        restarted = {key: value for key, value in LOST.items() if key != "lost"}
        app.fleet.apply([{**restarted, "status": "running", "reason": None}], (), everything=False)
        app.main.rows_came()
        assert not app.main.absence

    class WithLost(Asked):
        def _start(self):
            super()._start()
            self.main.rows_came()

    run(lambda: WithLost([*ROWS, LOST]), scenario)


def test_what_was_ended_here_is_no_news():
    fleet = Fleet()
    fleet.apply([row("a", run=1), row("b", run=1)], (), everything=True)
    fleet.ends_here(["a"])
    ends = {"unseen": True, "run": 1, "exit_code": 143, "now": "last words"}
    fleet.apply([row("a", "stopped", **ends), row("b", "stopped", **ends)], (), everything=False)
    assert [(one["unseen"], one["now"]) for one in fleet.rows.values()] == [
        (False, "last words"),
        (True, "last words"),
    ], "who ended it changes no word"
    fleet.apply([row("a", "crashed", **ends | {"run": 2})], (), everything=False)
    assert fleet.rows["a"]["unseen"], "another run ends by itself"


def test_a_refused_end_is_news_when_it_comes():
    fleet = Fleet()
    fleet.apply([row("a", run=1), row("b", run=1)], (), everything=True)
    answers = [OvermindError("not_running", "no"), {}]
    shell = SimpleNamespace(
        fleet=fleet, flash=lambda *_: None, request=lambda _command, requests, heard: heard(answers[: len(requests)])
    )
    each(shell, Request("stop", "stop", "stopped", "missions"), list(fleet.rows.values()))
    fleet.apply([row(one, "stopped", run=1, unseen=True) for one in "ab"], (), everything=False)
    assert [one["unseen"] for one in fleet.rows.values()] == [True, False]


def verb_of(fleet, name, words, outcome):
    """Give the line `:name words` on these missions, which ends so; what was asked for then."""
    asked: list[tuple[str, list[str]]] = []
    shell = SimpleNamespace(
        fleet=fleet,
        flash=lambda *_: None,
        open=lambda *_: None,
        request=lambda command, requests, _heard: asked.append((command, [one["id"] for one in requests])),
    )
    ended: list[Callable[[Outcome], None]] = []
    jobs = SimpleNamespace(start=lambda _name, _argvs, on_result: ended.append(on_result))
    CommandRun(cast("Any", shell), cast("Any", jobs), cast("Any", None))._spawn(VERBS[name], [words])
    ended[0](outcome)
    return asked


SENDS = Language(views={}, verbs=VERBS, leave={}, prose={"send": VERBS["send"].prose or ()})


def sent(line):
    """Give the line `:send …` with the cursor on s2a; the words that were run, and what was said."""
    fleet = Fleet()
    sessions = [row("s1a", type="session"), row("s2a", type="session"), row("old", "stopped", type="session")]
    fleet.apply([*sessions, row("task")], (), everything=True)
    page = SimpleNamespace(targets=lambda: [fleet.rows["s2a"]], restless=False)
    started: list[list[str]] = []
    flashed: list[str] = []
    shell = SimpleNamespace(fleet=fleet, read_only=False, flash=lambda text, _tone: flashed.append(text))

    class Runs(CommandRun):
        def _page_of(self, verb: Verb | None) -> Any:  # noqa: ARG002 - as the product has it
            return page

        def _spawn(self, verb: Verb, calls: Sequence[Sequence[str]]) -> None:  # noqa: ARG002
            started.extend(map(list, calls))

    done = parsed(f"send {line}", SENDS)
    assert isinstance(done, Do), line
    Runs(cast("Any", shell), cast("Any", None), cast("Any", None)).run(VERBS["send"], done.words)
    return started, flashed


@tabled(
    ("line", "argv"),
    [
        ("s1a delete the build folder", ["s1a", "delete the build folder"]),
        ("--timeout 5 s1a -v means verbose", ["s1a", "--timeout", "5", "--", "-v means verbose"]),
        ("go on, don't wait", ["s2a", "go on, don't wait"]),
        ("s1a", ["s2a", "s1a"]),
        ("s1 is the one", ["s2a", "s1 is the one"]),
        ("old", ["s2a", "old"]),
        ("-- s1a is down", ["s2a", "--", "s1a is down"]),
        ("-- old it is", ["s2a", "--", "old it is"]),
    ],
)
def test_a_message_goes_to_the_session_that_it_begins_with_else_to_the_one_under_the_cursor(line, argv):
    assert sent(line) == ([argv], [])


TASK = "task is a task and takes no messages: its input is empty; --type session starts one that reads"


@tabled(
    ("line", "why"),
    [("old it is", "old is stopped"), ("--timeout 5 old it is", "old is stopped"), ("task it is", TASK)],
)
def test_a_message_that_names_who_takes_none_goes_to_nobody_else(line, why):
    assert sent(line) == ([], [f"{why} · :send -- TEXT writes to the row under the cursor"])


def test_a_name_means_the_live_mission_as_on_the_command_line():
    fleet = Fleet()
    first, second = {**row("a1"), "name": "api"}, {**row("b2"), "name": "api"}
    for states, meant in (
        (("running", "stopped"), "a1"), (("running", "running"), "b2"), (("stopped", "stopped"), "b2"),
    ):  # fmt: skip
        rows = [{**one, "status": status} for one, status in zip((first, second), states, strict=True)]
        fleet.apply(rows, (), everything=True)
        assert (fleet.named("api") or {})["id"] == meant


@tabled(
    ("name", "words", "unseen"),
    [
        ("stop", ["a", "--grace", "b"], [False, True]),
        ("kill", ["a", "b"], [False, False]),
        ("stop", ["--all"], [False, False]),
        ("stop", ["-at", "5"], [False, False]),
        ("kill", ["a", "-s", "HUP"], [True, True]),
        ("stop", ["a", "--help"], [True, True]),
        ("freeze", ["a"], [True, True]),
    ],
)
def test_what_was_ended_by_a_typed_verb_is_no_news(name, words, unseen):
    fleet = Fleet()
    fleet.apply([row("a", run=1), row("b", run=1)], (), everything=True)
    asked = verb_of(fleet, name, words, Outcome("", 0))
    fleet.apply([row(one, "stopped", run=1, unseen=True) for one in "ab"], (), everything=False)
    assert [one["unseen"] for one in fleet.rows.values()] == unseen
    ours = [one for one, new in zip("ab", unseen, strict=True) if not new]
    assert asked == ([("seen", ours)] if ours else []), "other programs hear of it, too"


@tabled(
    ("name", "words", "line"),
    [
        ("stop", ["-a"], "stop -a: 2 live missions"),
        ("stop", ["--all"], "stop --all: 2 live missions"),
        ("kill", ["-ya"], "kill -ya: 2 live missions"),
        ("restart", ["-a"], "restart -a: 2 live missions"),
        ("stop", ["-at", "5"], "stop -at 5: 2 live missions"),
        ("stop", ["-t", "5", "a"], "stop -t 5 a"),
        ("kill", ["-s", "HUP", "a", "c"], "kill -s HUP a c"),
    ],
)
def test_a_typed_verb_for_all_takes_the_shells_words_and_names_the_live_missions(name, words, line):
    fleet = Fleet()
    fleet.apply([row("a"), row("b", "stopped"), row("c")], (), everything=True)
    asked: list[Dialog] = []
    shell = SimpleNamespace(
        fleet=fleet, read_only=False, open=asked.append, now=lambda: NOON, flash=lambda *_: None,
        world=SimpleNamespace(folder="/x"),
    )  # fmt: skip
    CommandRun(cast("Any", shell), cast("Any", None), cast("Any", None)).run(VERBS[name], words)
    (dialog,) = asked
    assert dialog._lines[0] == line
    named = [one.split()[0] for one in dialog._lines[2:]]
    assert named == (["a"] if line.endswith(" a") else ["a", "c"]), "those that end, and no other"


def test_what_goes_on_after_a_typed_verb_has_failed_is_news_when_it_ends():
    fleet = Fleet()
    fleet.apply([row("a", run=1)], (), everything=True)
    assert not verb_of(fleet, "stop", ["a"], Outcome("Error: timeout: it goes on\n", 1))
    fleet.apply([row("a", "stopped", run=1, unseen=True)], (), everything=False)
    assert fleet.rows["a"]["unseen"]


def runs(*states):
    """Runs of a ritual, the oldest first."""
    return [row(f"nightly/{number}", status) for number, status in enumerate(states, 1)]


@pytest.mark.parametrize(
    ("rows", "beneath"),
    [
        (runs("stopped", "crashed", "running"), {"nightly/1": "nightly/3", "nightly/2": "nightly/3"}),
        (runs("stopped", "running", "stopped", "stopped"), {"nightly/1": "nightly/4", "nightly/3": "nightly/4"}),
        (runs("stopped", "running"), {}),
        ([row("a/b"), row("a/c"), row("plan/1", "stopped", parent="p"), row("plan/2", "stopped", parent="p")], {}),
    ],
    ids=["ended ones", "what runs stays", "too few", "no rituals"],
)
def test_ended_runs_of_a_ritual_are_folded_below_its_newest_one(rows, beneath):
    assert missions_rows.older_runs(rows) == beneath
    heads = set(beneath.values())
    shown = missions_rows.arranged(rows, folded=heads, beneath=beneath)
    assert len(shown) == len(rows) - len(beneath)
    assert sum(branch.folded for branch in shown) == len(beneath)


def test_hints_of_what_would_be_refused_are_faint():
    def refused(*rows, asking=()):
        return hints.unusable(rows, asking)

    assert not {"attach", "stop", "log"} & refused(row("a"))
    assert {"message", "question"} <= refused(row("a"))
    assert "message" not in refused(row("a", type="session"))
    assert "question" not in refused(row("a"), asking={"a"})
    assert {"kill", "stop", "interrupt", "message"} <= refused(row("a", "stopped", type="session"))
    assert "log" not in refused(row("a", "stopped"))
    assert {"log", "stop", "message", "question"} <= refused(), "no row"


def test_a_plan_says_which_agents_run_and_which_one_made_it_fail():
    plan = {**row("p", type="blueprint"), "name": "rel"}
    build = {**row("b", parent="p"), "name": "rel/build"}
    agents = [build, {**row("t", "stopped", parent="p"), "name": "rel/test"}]
    assert plan_now(plan, agents) == "runs build"
    failed = {**build, "status": "crashed", "exit_code": 3, "now": "exit 3: no space"}
    assert plan_now({**plan, "status": "crashed"}, [failed]) == "build failed: exit 3: no space"
    given_up = {**build, "status": "stopped", "outcome": "failed", "exit_code": 0, "now": "gave up"}
    assert plan_now({**plan, "status": "crashed"}, [given_up]) == "build failed: gave up"
    again = {**plan, "status": "crashed", "run_started_at": "2026-11-20T08:00:00.123Z"}
    earlier, now = ({**failed, "ended_at": f"2026-11-20T08:00:00.{fraction}Z"} for fraction in ("122", "200"))
    rerun = {**now, "id": "b2", "name": "rel/db", "now": "exit 9"}
    assert plan_now(again, [earlier, rerun]) == "db failed: exit 9"
    assert plan_now(again, [earlier]) == ""
    fleet = Fleet()
    fleet.apply([plan, *agents], (), everything=True)
    assert fleet.rows["p"]["now"] == "runs build"


@pytest.mark.parametrize(("width", "cells"), [(80, 10), (120, 20), (200, 60), (400, 60)])
def test_the_time_of_a_plan_is_drawn_as_long_as_there_is_room(width, cells):
    assert plans_rows.bar_cells(width) == cells
    half = {"plan_began": 0.0, "plan_until": 10.0, "began": 5.0, "until": 10.0}
    assert len(plans_rows.bar(half, 10.0, cells)) == cells
    assert plans_rows.bar(half, 10.0, cells).count(plans_rows.RAN) == cells // 2


VERB = VERBS["restart"]


@tabled(
    ("outcome", "said", "tone"),
    [
        (
            Outcome("rel.toml:1:1: unknown key 'name'\nFix it.\n", 1),
            "restart failed: rel.toml:1:1: unknown key 'name'",
            "bad",
        ),
        (Outcome("a line\nError: invalid: it is wrong\n", 1), "restart failed: it is wrong", "bad"),
        (Outcome("", 3), "restart failed: exit 3", "bad"),
        (Outcome("Error: invalid: it is wrong\n", 1), "it is wrong", "bad"),
        (Outcome("00000001\n00000002\n", 0), "restart: 2 missions", "good"),
        (Outcome("Restarted mission 00000001\nRestarted mission 00000002\n", 0), "restart: 2 missions", "good"),
        (
            Outcome("00000001  a\n00000002  b\nRestarted mission 00000001\nRestarted mission 00000002\n", 0),
            "restart: 2 missions",
            "good",
        ),
        (Outcome("", 0), "restart: done", "good"),
    ],
)
def test_a_verb_that_failed_is_never_done(outcome, said, tone):
    flashed: list[tuple[str, str]] = []
    opened: list[object] = []

    class Shell:
        is_at_rest = True

        def flash(self, text, tone=""):
            flashed.append((text, tone))

        def open(self, screen):
            opened.append(screen)

    CommandRun(Shell(), None, None)._on_result(VERB, outcome)  # type: ignore[arg-type]
    assert flashed == [(said, tone)]
    assert not opened or outcome.code


def test_an_answer_from_elsewhere_names_the_option_that_was_chosen():
    event = {"type": "answered", "question": 7, "name": "api", "by": "a person", "behaviour": "allow"}
    assert inbox_rows.ended(7, [{**event, "options": ["€3.19"]}]) == "api: answered by a person: €3.19"
    assert inbox_rows.ended(7, [event]) == "api: allowed by a person"


def test_a_click_on_a_heading_sorts_and_one_on_a_hint_does_what_the_key_does():
    async def scenario(app, pilot):
        heading = picture(app).splitlines()[app.main.table.region.y]
        await pilot.click(app.main.table, offset=(heading.index("STATE") + 2, 0))
        assert app.main.table_panel.order.by == "state"
        await pilot.click(app.main.table, offset=(6, 2))
        assert app.main.table.at == 1, "the second row, where it was clicked"
        line = app.main.hints.render_line(0).text
        await pilot.click(app.main.hints, offset=(line.index("stop"), 0))
        await until(pilot, lambda: app.screen is not app.main, what="the question")
        await pilot.press("escape", "?")
        await until(pilot, lambda: getattr(app.screen, "view", "") == "help", what="help")
        await pilot.click(app.screen.head, offset=(5, 0))
        assert app.screen is app.main

    run(Asked, scenario)


@tabled(
    ("state", "outcome", "mark", "word", "counted"),
    [
        ("completed", "succeeded", "✔", "succeeded", "succeeded"),
        ("failed", "failed", "✖", "failed", "failed"),
        ("failed", "timed out", "✖", "timed out", "timed out"),
        ("cancelled", "stopped", "■", "stopped", "stopped"),
        ("queued", None, "○", "queued", "queued"),
        ("checking", None, "▶", "checking", "checking"),
        ("reviewing", None, "▶", "reviewing", "reviewing"),
        ("review", None, "?", "review", "review"),
        ("landing", None, "▶", "landing", "landing"),
        ("to land", None, "○", "to land", "to land"),
    ],
)
def test_the_mission_of_a_quest_has_the_mark_of_its_quest(state, outcome, mark, word, counted):
    fleet = Fleet()
    fleet.apply([row("w", "stopped", exit_code=0, outcome=outcome, quest_state=state)], (), everything=True)
    shown = fleet.rows["w"]
    assert (missions_rows.mark(shown).mark, missions_rows.state(shown, NOON)) == (mark, word)
    assert {one.word: count for one, count in fleet.counts.items()} == {counted: 1}
    assert missions_rows.mark({**shown, "status": "running", "outcome": None}).word == "working", "a person began it"


OF_PLANS = {("stopped", 0): "succeeded", ("stopped", 1): "stopped", ("crashed", 1): "failed"}


@tabled(
    ("counts", "status", "code", "mark", "word"),
    [
        ({"succeeded": 2}, "stopped", 0, "✔", "succeeded"),
        ({"succeeded": 1, "skipped": 1}, "stopped", 0, "✔", "succeeded"),  # it was for a failure that did not come
        ({"succeeded": 1, "cancelled": 1}, "stopped", 1, "■", "stopped"),
        ({"succeeded": 1, "waiting": 1}, "stopped", 1, "■", "stopped"),
        ({"failed": 1, "cancelled": 1}, "stopped", 1, "■", "stopped"),  # somebody has deleted it
        ({"failed": 1, "skipped": 1}, "crashed", 1, "✖", "failed"),
        ({"running": 2}, "running", None, "▶", "working"),
    ],
)
def test_only_a_plan_that_ended_with_code_0_has_a_tick(counts, status, code, mark, word):
    (shown,) = plans_rows.plans(
        [{**row("p", status, exit_code=code, outcome=OF_PLANS.get((status, code))), "counts": counts, "total": 2}]
    )
    assert (missions_rows.mark(shown).mark, missions_rows.state(shown, NOON)) == (mark, word)
