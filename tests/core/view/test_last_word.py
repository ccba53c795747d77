"""What is known of missions while no daemon answers: the last word of ends, and rows that may be otherwise by now."""

from __future__ import annotations

from datetime import UTC

import pytest

from overmind_core.view import columns, header_line, inbox, last_word, missions, numbers, stats_face
from overmind_core.view.fleet import Fleet
from overmind_core.view.header_line import HeaderFacts
from overmind_core.view.hive_keys import SILENT_SINCE, keyed
from overmind_core.view.stats_face import MissionFacts, StatsLook
from overmind_core.view.summary import Sample

BEGAN = "2026-07-01T10:00:00.000Z"
AT = numbers.moment("2026-07-01T10:01:00.000Z") or 0.0
LOST_AT = AT
LATER = AT + 30.0


def row(one="m1", **more):
    return {
        "id": one, "name": one, "type": "task", "status": "running", "parent": None, "run": 1, "started_at": BEGAN,
        "ended_at": None, "exit_code": None, "outcome": None, "activity": None, "restart_count": 0, "command": "sleep",
        "uptime_seconds": 60.0, "cpu_percent": 1.0, "memory_bytes": 3_200_000, "output_bytes_per_second": 0.0, **more,
    }  # fmt: skip


def event(kind, one="m1", run=1, **more):
    return {"seq": 1, "type": kind, "mission": one, "run": run, "at": "2026-07-01T10:00:59.000Z", **more}


STOPPED = event("stopped", reason=None, exit_code=143, outcome="stopped")
ENDS = {
    "nothing was said": ([], "running", None),
    "it was about to end": ([event("stopping", cause="stop")], "running", None),
    "it has ended": ([event("stopping", cause="stop"), event("exited", exit_code=143), STOPPED], "stopped", "stopped"),
    "it has failed": ([event("crashed", exit_code=3, outcome="failed", reason=None)], "crashed", "failed"),
    "another one has": ([event("stopped", "m2")], "running", None),
    "it has begun again since": ([STOPPED, event("started", run=2)], "running", None),
    "an earlier run has ended": ([event("stopped", run=0)], "running", None),
    "it had ended before it began": ([{**STOPPED, "at": "2026-07-01T09:59:59.000Z"}], "running", None),
}


@pytest.mark.parametrize("said", ENDS)
def test_what_the_daemon_told_last_of_an_end_holds_though_no_row_came_any_more(said):
    events, status, outcome = ENDS[said]
    fleet = Fleet()
    fleet.apply([row()], (), everything=True)
    fleet.events.extend(events)
    fleet.lose("Daemon not running", "ctrl-r starts one here", LOST_AT)
    found = fleet.rows["m1"]
    assert (found["status"], found["outcome"]) == (status, outcome)
    assert fleet.live == (status == "running")
    assert (SILENT_SINCE in found) is (status == "running"), "what has ended stays as it ended"
    assert fleet.load.memory == (found["memory_bytes"] or 0), "what has ended uses nothing"


WORKS = row(status="stopped", ended_at="2026-07-01T10:00:01.000Z", exit_code=0, quest_state="working")
QUESTS = {
    "nothing was said": (WORKS, [], ("working", None, None)),
    "it was cancelled": (
        WORKS, [event("quest", status="cancelled", reason="stopped", exit_code=None)],
        ("cancelled", "stopped", "its quest was cancelled"),
    ),
    "it was cancelled with its work": (
        row(), [STOPPED, event("quest", status="cancelled", reason="stopped")], ("cancelled", "stopped", None)
    ),
    "its check has failed": (
        WORKS, [event("quest", status="failed", reason="check_failed")],
        ("failed", "failed", "failed: its check failed"),
    ),
    "all its checks have failed": (
        WORKS, [event("quest", status="failed", reason="retries_spent", **{"class": "check_failed"})],
        ("failed", "failed", "failed: its check failed"),
    ),
    "it has completed": (WORKS, [event("quest", status="completed", reason=None)], ("completed", "succeeded", None)),
    "its check has begun": (WORKS, [event("quest", status="running", phase="check")], ("checking", None, None)),
    "another attempt follows": (WORKS, [event("quest", status="queued", phase=None)], ("queued", None, None)),
    "its mission runs": (row(), [event("quest", status="cancelled")], (None, None, None)),
    "its mission has begun again since": (
        WORKS, [{**event("quest", status="cancelled"), "at": "2026-07-01T09:59:59.000Z"}], ("working", None, None)
    ),
    "it waits to land": (
        {**WORKS, "quest_state": "to land"}, [event("quest", status="running", phase="landing")],
        ("to land", None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", QUESTS)
def test_what_the_daemon_told_last_of_a_quest_holds_though_no_row_came_any_more(said):
    known, events, expected = QUESTS[said]
    fleet = Fleet()
    fleet.apply([known], (), everything=True)
    fleet.events.extend(events)
    fleet.lose("Daemon not running", "ctrl-r starts one here", LOST_AT)
    found = fleet.rows["m1"]
    assert (found.get("quest_state"), found["outcome"], found.get("now")) == expected
    assert (SILENT_SINCE in found) is (expected[1] is None)


DIFFERS = {
    "it runs": (row(), True),
    "it was stopped": (row(status="stopped", ended_at=BEGAN, outcome="stopped"), False),
    "it has failed": (row(status="crashed", ended_at=BEGAN, outcome="failed", exit_code=1), False),
    "it waits to start again": (row(status="restarting", next_restart_at="2026-07-01T10:02:00.000Z"), True),
    "its quest goes on": (row(status="stopped", ended_at=BEGAN, quest_state="queued"), True),
    "another attempt has followed": (row(status="crashed", ended_at=BEGAN, quest_state="tried again"), False),
}


@pytest.mark.parametrize("case", DIFFERS)
def test_rows_that_may_differ_by_now_say_so_and_their_clocks_stop(case):
    known, differs = DIFFERS[case]
    cells = {column.key: column for column in columns.MISSIONS}
    marked = last_word.unheard(known, LOST_AT)
    assert (SILENT_SINCE in marked) is differs
    assert cells["now"].cell(marked, LATER).text.startswith("no daemon for 30s") is differs
    for column in ("for", "state"):
        assert cells[column].cell(marked, LATER) == cells[column].cell(known, LOST_AT if differs else LATER)
    assert last_word.unheard(marked, None) == known, "as soon as one answers"


def test_a_mission_whose_daemon_was_killed_lives_on_in_words_and_nothing_of_it_ticks():
    marked = last_word.unheard(row(), LOST_AT)
    assert missions.is_live(marked)
    assert missions.held_since(marked) is None
    assert missions.silent_for(marked, LOST_AT + 12) == "no daemon for 12s"
    facts, look = MissionFacts({**marked, "cwd": "/shop"}, None, None), StatsLook(80, LATER, UTC)
    figures = stats_face.lines(facts, [Sample(0.0, 0.0, 0.0), Sample(3.0, 3_200_000.0, 929.0)], look)
    assert [line[1].text.strip() for line in figures[-4:-1]] == ["-", "-", "-"]


def test_only_missions_of_this_home_wait_for_its_daemon_and_a_later_word_is_the_same_silence():
    fleet = Fleet()
    fleet.name_hives(has_hives=True)
    fleet.apply([row()], (), everything=True)
    fleet.apply([row("m9")], (), everything=True, hive="eu1")
    for at in (LOST_AT, LATER):
        fleet.lose("Daemon not running", "ctrl-r starts one here", at)
    assert [one for one, known in fleet.rows.items() if SILENT_SINCE in known] == ["m1"]
    assert fleet.refusal(LATER) == "no daemon for 30s · ctrl-r starts one here"
    fleet.find()
    assert not any(SILENT_SINCE in known for known in fleet.rows.values())
    assert not fleet.refusal(LATER)


def test_before_any_row_came_nothing_is_old():
    fleet = Fleet()
    fleet.lose("Daemon not running", "ctrl-r starts one here", LOST_AT)
    assert (fleet.lost_since, last_word.as_of(fleet.lost_since, UTC)) == (None, "")


def test_the_header_says_when_all_was_so_while_no_daemon_answers():
    facts = HeaderFacts(lost="Daemon not running", as_of=last_word.as_of(LOST_AT, UTC))
    (cell,) = header_line.header_line(facts, 80)
    assert cell.text.rstrip() == " as of 10:01 · Daemon not running"


def test_what_is_asked_without_a_mission_waits_as_long_as_at_the_last_word():
    asked = {"question": 1, "id": "s1", "name": "login", "about": {"kind": "spec"}, "part": "tasks", "need": "phase",
             "asked_at": BEGAN, "summary": ""}  # fmt: skip
    there, here = inbox.needs([], inbox.unheard([asked, keyed(asked, "eu1")], LOST_AT), LATER)
    assert (here.row["id"], here.since, here.row[SILENT_SINCE]) == ("s1", 60.0, LOST_AT)
    assert (there.row["id"], there.since, SILENT_SINCE in there.row) == ("eu1/s1", 90.0, False)
    assert inbox.unheard([asked], None) == [asked]
