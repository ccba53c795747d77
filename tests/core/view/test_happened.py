"""The newest events in words."""

from __future__ import annotations

from overmind_core.domain.text.cells import width
from overmind_core.domain.text.moment import format_time
from overmind_core.view import tables
from overmind_core.view.happened import _TELLERS, Surroundings, lines
from overmind_core.view.timeline import _HAVE_MARKS, _SHOWN_AS, what
from scripts.reference.events import types
from tests.kit.cases import tabled
from tests.kit.screen_events import AROUND, EVENTS
from tests.kit.screen_panel import NOW, ZONE, mission
from tests.kit.screen_pictures import texts


def event(kind, **more):
    return {"type": kind, "at": format_time(NOW), "mission": "a", "name": "a", "by": "person", **more}


SAID = [
    (event("answered", question=1, by="Bash(git status)", behaviour="allow", summary="Bash: git status"),
     "the rule Bash(git status) allowed Bash: git status"),
    (event("answered", question=1, by=None, behaviour=None, summary=None), "asks no longer"),
    (event("answered", question=1, by="web:phone", behaviour="deny", summary="Bash: x"), "web:phone denied Bash: x"),
    (event("answered", question=1, behaviour="allow", summary="a asks: Drop it?", answer="no,\x1b never"),
     "you answered: no,\\x1b never"),
    (event("killed", outcome="killed", reason="killed", exit_code=137), "you killed it"),
    (event("stopped", by=None, outcome="stopped", reason="stopped", exit_code=0), "was stopped"),
    (event("crashed", outcome="failed", exit_code=None, reason="cwd_not_found"), "failed: its folder does not exist"),
    (event("restarting", exit_code=75, delay_seconds=8.0), "failed (75), starts again in 8s"),
    (event("restart", text=""), "you started it again"),
    (event("restart", by=None, text="--- restart #11 at x ---"), "started again, 11th time"),
    (event("created", by="?"), "a program started it"),
    (event("created", by="engine"), "was started"),
    (event("turn_ended", ok=False, reason="max_turns", cost_usd=0.0, turns=1, duration_ms=1.0),
     "its turn failed: it reached its limit of turns"),
    (event("activity", doing="limited", need=None), "waits for a limit or an overload of its service"),
    (event("landed", target="main", branch="b", before="1", after="2"), "you landed it on main"),
    (event("landed", target="main", branch="b", before="1", after="2", added=212, removed=40),
     "you landed it on main (+212 −40)"),
    (event("landed", target="main", branch="b", before="1", after="2", added=0, removed=0), "you landed it on main"),
    (event("paused"), "you froze it"),
    (event("health", level="stalled", why="no output for 5m", by="engine"), "stalled: no output for 5m"),
    (event("quest", status="completed"), "quest completed"),
    (event("committed", files=1, subject="fix it", commit="1"), "you committed 1 file: fix it"),
    (event("overlap", files=["x", "y"], other="b", other_name="b"), "changes 2 files that b changes too"),
    (event("spawn_failed", text="--- could not start: no such file ---"), "could not start: no such file"),
    (event("keeper_lost"), "lost with its keeper"),
    (event("conversation_lost"), "lost its conversation, and began a new one"),
    (event("stopped", outcome="succeeded", reason=None, exit_code=0), "succeeded"),
]  # fmt: skip


@tabled(
    ("now", "text"), [("exit 75: its queue was lost", "failed (75): its queue was lost"), ("exit 75", "failed (75)")]
)
def test_the_code_of_an_end_is_said_once(now, text):
    one = event("crashed", outcome="failed", exit_code=75, reason=None)
    (shown,) = lines([one], 120, 9, Surroundings({"a": {"provider": "raw", "now": now}}, zone=ZONE))
    assert texts([shown.cells])[0][23:] == text


def test_an_attempt_that_failed_is_no_success_though_its_program_ended_well():
    ran = {"outcome": "succeeded", "reason": None, "exit_code": 0, "by": None}
    again = {"status": "queued", "by": "engine", "attempt": 1, "class": "no_change"}
    spent = {"status": "failed", "by": "engine", "attempt": 2, "class": "verify_failed", "reason": "retries_spent"}
    around = Surroundings({"a": {"provider": "raw", "outcome": "failed", "now": "failed: its check failed"}}, zone=ZONE)
    events = [event("stopped", **ran), event("quest", **again), event("stopped", **ran), event("quest", **spent)]
    said = [texts([shown.cells])[0][23:] for shown in lines(events, 120, 9, around)]
    assert said == [
        "quest failed: the check of the merged work failed",
        "attempt 1 failed: nothing was changed or committed",
    ]
    (alone,) = lines(events[:1], 120, 9, around)
    assert texts([alone.cells])[0][23:] == "succeeded", "of the run, and nothing of the quest"


def test_the_work_of_a_quest_that_goes_on_has_no_outcome():
    ran = event("stopped", outcome="succeeded", reason=None, exit_code=0, by=None)
    around = Surroundings({"a": {"provider": "raw", "outcome": None, "quest_state": "checking"}}, zone=ZONE)
    (shown,) = lines([ran], 120, 9, around)
    assert (shown.cells[1].text.strip(), texts([shown.cells])[0][23:]) == ("·", "its work has ended")
    landed = event("landed", target="main", branch="b", before="1", after="2")
    (shown,) = lines([ran, landed], 120, 9, around)
    assert texts([shown.cells])[0][23:] == "succeeded, landed on main"


def test_an_attempt_whose_program_failed_is_told_once():
    ran = {"outcome": "failed", "reason": None, "exit_code": 3, "by": None}
    again = {"status": "queued", "by": "engine", "attempt": 1, "class": "exit"}
    (shown,) = lines([event("crashed", **ran), event("quest", **again)], 120, 9, Surroundings(zone=ZONE))
    assert texts([shown.cells])[0][23:] == "failed (3)"


@tabled(("one", "text"), SAID)
def test_an_event_in_words(one, text):
    (shown,) = lines([one], 120, 9, Surroundings(zone=ZONE))
    assert texts([shown.cells])[0][23:] == text
    assert shown.mission == "a"


def test_what_was_asked_some_time_ago_calls_nobody():
    events = [event("asked", question=1, need="question", summary="Which?"),
              event("turn_ended", ok=True, reason=None, cost_usd=0.1, turns=1, duration_ms=1.0)]  # fmt: skip
    shown = lines(events, 120, 9, Surroundings(zone=ZONE))
    assert [(one.cells[1].text.strip(), one.cells[1].tone) for one in shown] == [("❯", "quiet"), ("!", "quiet")]


def test_no_event_calls_anybody_in_any_list_of_what_happened():
    (kind,) = (column for column in tables.EVENTS if column.key == "type")
    words = {*types(), *_HAVE_MARKS, *_SHOWN_AS}
    tones = {cell({"type": one, "what": one}).tone for one in words for cell in (lambda row: kind.cell(row, NOW), what)}
    assert {"bad", "slow"} <= tones
    assert "wait" not in tones


def ran(seconds, *kinds):
    """A run that began so long ago, of 2 seconds; then it waits."""
    at = {"at": format_time(NOW - seconds + 2)}
    of_end = {"exit_code": 3, "delay_seconds": 60.0, **at}
    return [event("started", at=format_time(NOW - seconds), pid=1), *(event(kind, **of_end) for kind in kinds)]


KILL = event("killed", outcome="killed", reason="killed", exit_code=137)


@tabled(
    ("events", "text"),
    [
        (ran(49, "exited", "restarting"), "you killed it after 2s"),
        (ran(49, "restarting"), "you killed it after 2s"),
        (ran(49), "you killed it after 49s"),
        ([*ran(49, "exited", "restarting"), *ran(40)], "you killed it after 40s"),
    ],
)
def test_an_end_says_how_long_the_run_took_without_the_wait_for_its_restart(events, text):
    newest, *_ = lines([*events, KILL], 120, 9, Surroundings(zone=ZONE))
    assert texts([newest.cells])[0][23:] == text


NOT_TOLD = [event("exited", exit_code=0), event("started", pid=1), event("activity", doing="working", need=None),
            event("health", level="ok"), event("quest", status="running")]  # fmt: skip


def test_every_type_that_is_told_is_one_that_is_recorded():
    assert set(_TELLERS) - {"flash"} <= set(types())


def test_steps_on_the_way_are_not_told():
    assert lines(NOT_TOLD, 120, 9, Surroundings(zone=ZONE)) == []


def test_other_missions_are_named_and_long_texts_are_cut():
    around = Surroundings({"7": mission("planner")}, zone=ZONE, ascii_only=True)
    (shown,) = lines([event("stopped", by="7", outcome="stopped", reason="stopped", exit_code=0)], 40, 9, around)
    assert texts([shown.cells]) == [" 14:35  # a            planner stopped…"]
    assert width(texts([shown.cells])[0]) <= 40


def test_only_the_newest_are_drawn():
    assert len(lines(EVENTS, 100, 3, AROUND)) == 3
    assert lines(EVENTS, 100, 0, AROUND) == []


def test_the_answer_to_a_question_changes_no_other_line_where_two_lines_became_one():
    of_others = [
        event("stopped", mission="b", name="b", by=None, outcome="succeeded", reason=None, exit_code=0),
        event("asked", question=7, summary="Bash: make"),
        event("turn_ended", mission="c", name="c", ok=True, reason=None, cost_usd=0.0, turns=1, duration_ms=2000.0),
        event("landed", mission="b", name="b", by=None, target="main", branch="b", before="1", after="2"),
        event("answered", question=7, by="person", behaviour="allow", summary="Bash: make"),
    ]
    said = [texts([one.cells])[0][23:] for one in lines(of_others, 120, 9, Surroundings(zone=ZONE))]
    assert said == ["you allowed Bash: make", "succeeded, landed on main", "finished a turn of 2s", "asked: Bash: make"]


TOO_LONG = event("crashed", outcome="timed out", exit_code=None, reason="timeout")
SILENT = event("crashed", outcome="timed out", exit_code=None, reason="stalled")
LIMITED = event("activity", doing="limited", need=None)
FAILED_TURN = event("turn_ended", ok=False, reason="limited", cost_usd=0.0, turns=1, duration_ms=1.0)
NO_CREDIT = {**FAILED_TURN, "reason": "no_credit"}
OVERLOADED = {**FAILED_TURN, "reason": "api_error 529"}
AT_WORK = event("activity", doing="working", need=None)
IDLE = event("activity", doing="idle", need="input")
PLAN = {"now": "the plan's limit is reached; goes on at 15:00"}
REACHED = "reached the limit of its plan"


@tabled(
    ("events", "row", "told"),
    [
        ([TOO_LONG], {"limit_seconds": 600.0}, ["timed out: it took longer than 10 minutes"]),
        ([TOO_LONG], {"limit_seconds": None}, ["timed out after 10m"]),
        ([SILENT], {"limit_seconds": 600.0}, ["timed out: no output for 10m"]),
        ([SILENT], {"limit_seconds": 300.0}, ["timed out after 10m: no output for 5m"]),
        ([event("health", level="stalled", why="no output for 5m", by="engine"), SILENT], {"limit_seconds": 300.0},
         ["timed out after 10m: no output for 5m"]),
        ([FAILED_TURN, IDLE, LIMITED], PLAN, [REACHED]),
        ([LIMITED, FAILED_TURN, IDLE, LIMITED], PLAN, [REACHED]),
        ([LIMITED, AT_WORK, LIMITED], PLAN, [REACHED, REACHED]),
        ([NO_CREDIT, LIMITED], {}, ["its turn failed: its account has no credit left"]),
        ([OVERLOADED, LIMITED], {}, ["its turn failed: the service of its model answered with an error (529)"]),
        ([{**FAILED_TURN, "reason": "max_turns"}, LIMITED], PLAN,
         [REACHED, "its turn failed: it reached its limit of turns"]),
    ],
)  # fmt: skip
def test_a_limit_is_said_once(events, row, told):
    began = {"provider": "claude", "run_started_at": format_time(NOW - 600), **row}
    found = lines(events, 120, 9, Surroundings({"a": began}, zone=ZONE))
    assert [texts([one.cells])[0][23:] for one in found] == told
