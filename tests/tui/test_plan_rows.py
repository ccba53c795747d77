"""Plans, quests and rituals: what a row says, as tables."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.mission import Definition, Kind, Mission, Status
from overmind_core.domain.missions.status_marks import MARKS, PLANNED, SILENT, mark_of
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.schedules import RunStatus
from overmind_core.domain.text.moment import format_time
from overmind_core.missions import answers as missions_answers
from overmind_core.plans import answers as plan_answers
from overmind_core.plans.store import Outline
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view import plans as plans_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import schedules as schedules_rows
from overmind_core.view.describe import Rendering
from overmind_tui.shell.appearance import PLAIN
from tests.kit.cases import tabled
from tests.tui.test_pictures import NOW, mission
from tests.tui.test_pictures_plans import (
    FLEET,
    QUESTS,
    RELEASE,
    RITUALS,
    RUNS,
    WIDE,
    at,
    quest,
    ritual,
    run,
    step,
    whole,
)
from tests.tui.walks import read

LOOK = Rendering(NOW, UTC)


def rows_of(*agents, status="running", began=100, ended=None):
    found = plans_rows.agents(whole(1, "p", status, agents, began, ended), NOW)
    plans_rows.learn(found, {})
    return {row["name"]: row for row in found}


@pytest.mark.parametrize("ended", [None, NOW - 3], ids=["live", "ended"])
def test_how_long_a_plan_goes_on_or_took_is_about_its_newest_run_everywhere(ended):
    status = Status.RUNNING if ended is None else Status.STOPPED
    definition = Definition("p", "apply p.toml", (), "/", columns=80, rows=24, kind=Kind.BLUEPRINT)
    mission = Mission("00000010", definition, created_at=NOW - 60, status=status, run=2, exit_code=0, ended_at=ended,
                      started_at=NOW - 60, run_started_at=NOW - 7)  # fmt: skip
    answer = plan_answers.summary(mission, Outline("00000010", "/p.toml", 1, {}, {}), NOW)
    (row,) = plans_rows.plans([dict(answer)])
    (column,) = (one for one in plans_rows.PLANS_COLUMNS if one.key == "for")
    seconds = missions_answers.uptime(mission, NOW)
    assert (row["seconds"], column.cell(row, NOW).text) == (seconds, numbers.ticking(seconds))
    assert numbers.moment(row["started_at"]) == NOW - 60


# signs


def test_all_that_is_planned_has_a_mark_of_its_own_word_that_can_be_drawn_anywhere():
    for status in (*AgentStage, *QuestStatus, *RunStatus, "waiting", "paused"):
        assert mark_of(status).word
    assert len({mark.word for mark in PLANNED}) == len(PLANNED)
    assert all(mark.ascii.isascii() for mark in PLANNED)
    assert all(mark_of(mark.word) is mark and mark.ascii.isascii() for mark in SILENT)
    assert all(mark.mark.translate(PLAIN) == mark.ascii for mark in (*PLANNED, *SILENT))
    shown = "".join(mark.mark for mark in (*MARKS, *PLANNED, *SILENT)) + plans_rows.RAN + plans_rows.CRITICAL
    assert shown.translate(PLAIN).isascii()


# all plans


def test_a_plan_counts_its_agents():
    (row,) = plans_rows.plans([RELEASE])
    said = {column.key: column.cell(row, NOW).text for column in plans_rows.PLANS_COLUMNS}
    assert said == {
        "name": "release", "id": "00000010", "state": "working", "over": "4/10", "running": "3", "waiting": "3",
        "failed": "1", "stopped": "", "skipped": "1", "for": "3m 20s", "run": "1", "why": "",
        "file": "release.toml  /srv/work",
    }  # fmt: skip


def test_each_agent_is_counted_under_the_word_that_its_plan_has_for_it():
    outcomes = {"timed out": 1, "lost": 1, "stopped": 3}
    (row,) = plans_rows.plans([{**RELEASE, "counts": {"failed": 3, "cancelled": 2}, "outcomes": outcomes}])
    assert [row[key] for key in ("failed", "stopped", "skipped")] == [2, 3, 0]
    (earlier,) = plans_rows.plans([{**RELEASE, "counts": {"failed": 3, "cancelled": 2}}])
    assert [earlier[key] for key in ("failed", "stopped", "skipped")] == [3, 2, 0]


def test_a_plan_that_was_deleted_is_stopped_whatever_its_agents_did():
    ended = {"status": "stopped", "exit_code": 1, "outcome": "stopped"}
    (row,) = plans_rows.plans([{**RELEASE, **ended}])
    assert row["failed"]
    said = {column.key: column.cell(row, NOW).text for column in plans_rows.PLANS_COLUMNS}
    assert said["state"] == "stopped"


@tabled("by", plans_rows.PLAN_ORDERS)
def test_plans_have_an_order_by_each_column(by):
    order = plans_rows.PLAN_ORDERS[by]
    assert sorted(plans_rows.plans([RELEASE, WIDE]), key=lambda row: order.key(row, NOW))


# one plan


def posted(stage, state, hive=None, **more):
    """An agent whose attempt is a post of a swarm."""
    return step("a", stage, **more) | {"post": {"id": "1a2b3c", "state": state, "hive": hive, "ending": False}}


WHY = [
    (step("a", "waiting", waits_for="b, c (ready)"), "waits for b, c (ready)"),
    (step("a", "waiting", waits_for="b", attempt=1), "try 2 · waits for b"),
    (step("a", "waiting"), ""),
    (step("a", "running", began=5), ""),
    (step("a", "running", began=5, attempt=3), "try 3"),
    (step("a", "succeeded", began=5, ended=1, result="done [b]"), "done [b]"),
    (step("a", "succeeded", began=5, ended=1, facts={"url": "http://x"}), "url=http://x"),
    (step("a", "succeeded", began=5, ended=1, exit_code=143, outcome="stopped"), "all else was done"),
    (step("a", "succeeded", began=5, ended=1, result="done", outcome="stopped"), "done"),
    (step("a", "failed", began=5, ended=1, exit_code=3), "exit 3"),
    (
        step("a", "failed", began=5, ended=1, exit_code=0, reason="output_missing"),
        "it did not hand in what was asked for · exit 0",
    ),
    (step("a", "failed", reason="name_taken"), "its name was taken"),
    (step("a", "failed", began=5, ended=1, exit_code=3, attempt=2), "try 2 · exit 3"),
    (step("a", "failed"), "failed"),
    (step("a", "skipped", reason="b failed"), "b failed"),
    (step("a", "cancelled", reason="cancel"), "its plan stopped it"),
    (step("a", "failed", reason="stopped", outcome="stopped", exit_code=143), "exit 143"),
    (posted("starting", None), "is being posted to the swarm"),
    (posted("starting", "queued"), "waits in the swarm: swarm/1a2b3c"),
    (posted("starting", "behind", "eu1"), "waits for the end of its last attempt on eu1"),
    (posted("running", "claimed", "eu1", attempt=2), "try 2 · on eu1"),
    (posted("running", "lost", "eu1"), "on eu1, which is silent"),
    (posted("failed", "failed", "eu1", exit_code=3), "exit 3 · on eu1"),
    (posted("succeeded", "done", "eu1", result="done"), "done"),
]


@tabled(("agent", "said"), WHY)
def test_a_row_says_what_it_waits_for_or_why_it_came_out_so(agent, said):
    assert plans_rows.why(rows_of(agent)["a"]) == said


def test_a_pause_before_the_next_try_says_how_long_it_is_where_the_time_is_known():
    row = rows_of(step("a", "waiting", attempt=1, waits_for="its next try"))["a"]
    row["next_try_at"] = format_time(NOW + 12)
    said = [plans_rows.why(row), plans_rows.why(row, NOW), plans_rows.why(row, NOW + 60)]
    assert said == ["try 2 · waits for its next try", "try 2 · next try in 12s", "try 2 · next try in 0s"]


def test_the_last_line_of_an_agent_that_somebody_ended_is_not_why_it_ended():
    stopped = step("a", "failed", reason="stopped", outcome="stopped", exit_code=143, mission="00000001")
    rows = plans_rows.agents(whole(1, "p", "stopped", (stopped,), 100), NOW)
    plans_rows.learn(rows, {"00000001": {"now": "checking file 13"}})
    assert plans_rows.why(rows[0]) == "exit 143"


def test_what_a_mission_does_is_said_beside_its_agent():
    rows = plans_rows.agents(RELEASE, NOW)
    plans_rows.learn(rows, {row["id"]: row for row in FLEET})
    said = {row["name"]: (plans_rows.state(row), plans_rows.why(row)) for row in rows}
    assert said["types"] == ("working", "checking 214 of 300 files")
    assert said["unit"] == ("asks", "try 2 · Bash: rm -rf build")
    assert said["db"][0] == "ready"
    assert said["[red]docs[/]"][1] == "exit 2: E999 [/] syntax error"
    assert rows_of(step("a", "running", began=5, ready=False))["a"]["ready"] is False
    assert plans_rows.state(rows_of(step("a", "running", began=5, ready=False))["a"]) == "not ready"


BARS = [
    (step("x", "running", began=100), "━" * 10),
    (step("x", "succeeded", began=100, ended=50), "━" * 5),
    (step("x", "succeeded", began=50, ended=0), " " * 5 + "━" * 5),
    (step("x", "succeeded", began=0.001, ended=0), " " * 9 + "━"),
    (step("x", "waiting"), ""),
]


@pytest.mark.parametrize(("agent", "drawn"), BARS)
def test_a_bar_stands_where_the_agent_ran_in_the_time_of_the_plan(agent, drawn):
    assert plans_rows.bar(rows_of(step("first", "succeeded", began=100, ended=99), agent)["x"], NOW) == drawn


def test_times_go_on_while_a_plan_runs_and_stand_when_it_is_over():
    live = rows_of(step("a", "running", began=10))["a"]
    assert (plans_rows.seconds(live, NOW), plans_rows.seconds(live, NOW + 5)) == (10, 15)
    over = rows_of(step("a", "succeeded", began=10, ended=4), step("b", "skipped"), status="stopped", began=10,
                   ended=4)["a"]  # fmt: skip
    assert (plans_rows.seconds(over, NOW), plans_rows.bar(over, NOW + 900)) == (6, "━" * 10)


def test_the_bar_of_an_agent_that_a_change_let_run_again_stands_where_it_ran_in_the_plan():
    again = step("a", "succeeded", began=2, ended=1)
    (row,) = rows_of(again, status="stopped", began=11, ended=1).values()
    assert plans_rows.bar(row, NOW) == "         ━"
    later = plans_rows.agents(whole(1, "p", "stopped", [again], 900, 1, run=2), NOW)  # whose newest run is not known
    assert plans_rows.bar(later[0], NOW) == "━" * 10


def test_an_agent_whose_mission_starts_again_says_when_and_is_not_counted_as_running():
    soon = step("a", "running", began=30, ready=False, next_restart_at=at(-3))
    rows = plans_rows.agents(whole(1, "p", "running", [soon, step("b", "running", began=30, ready=False)], 30), NOW)
    plans_rows.learn(rows, {})
    said = [{column.key: column.cell(row, NOW).text for column in plans_rows.COLUMNS}["state"] for row in rows]
    assert said == ["retry 3s", "not ready"]
    assert [missions_rows.mark(row).mark for row in rows] == ["↻", "▶"]
    assert plans_rows.counted(rows) == [("restarting", 1), ("running", 1)]


def test_a_changed_agent_is_tried_for_the_first_time():
    waiting, runs = step("a", "waiting", attempt=1, tries=0, waits_for="b"), step("c", "running", attempt=2, tries=1)
    assert [plans_rows.why(row, NOW) for row in rows_of(waiting, runs).values()] == ["waits for b", ""]


def test_the_critical_path_is_the_chain_that_takes_longest_and_goes_on_with_the_clock():
    agents = plans_rows.agents(
        whole(1, "p", "running", [
            step("fast", "running", (), 5), step("slow", "succeeded", (), 60, 50),
            step("service", "running", (), 60, stays=True),
            step("last", "waiting", ("fast", "slow", "service"), waits_for="fast"),
        ], 60), NOW,
    )  # fmt: skip
    assert [row["name"] for row in agents if row["critical"]] == ["slow", "last"]
    plans_rows.mark_critical(agents, NOW + 6)
    assert [row["name"] for row in agents if row["critical"]] == ["fast", "last"]
    summary = plans_rows.summary(whole(1, "p", "running", [], 60), agents, NOW + 6)
    assert summary == "working 1m 06s · ◆ critical path 11s · 2 running · 1 waiting · 1 succeeded"


def test_a_service_that_never_got_ready_held_up_the_plan_and_who_was_skipped_did_not():
    agents = plans_rows.agents(
        whole(1, "p", "crashed", [
            step("database", "failed", (), 60, 30, stays=True, ready=False, outcome="failed"),
            step("test", "skipped", ("database",)), step("notes", "skipped", ("test",)),
        ], 60, 30), NOW,
    )  # fmt: skip
    assert [row["name"] for row in agents if row["critical"]] == ["database"]
    summary = plans_rows.summary(whole(1, "p", "crashed", [], 60, 30), agents, NOW)
    assert summary == "failed 30s · ◆ critical path 30s · 1 failed · 2 skipped"


def test_a_service_that_its_plan_ended_was_stopped_as_its_mission_was():
    ended = step("db", "succeeded", began=60, ended=30, exit_code=143, stays=True, outcome="stopped")
    rows = rows_of(ended, step("test", "succeeded", (), 60, 30, outcome="succeeded"), status="stopped", ended=30)
    mark = missions_rows.mark(rows["db"])
    assert (mark.mark, plans_rows.state(rows["db"]), mark.tone) == ("■", "stopped", "off")
    assert plans_rows.counted(list(rows.values())) == [("stopped", 1), ("succeeded", 1)]


@pytest.mark.parametrize(("unseen", "tone"), [(True, "wait"), (False, "quiet")])
def test_an_agent_whose_answer_was_read_calls_nobody_any_more(unseen, tone):
    rows = plans_rows.agents(whole(1, "p", "running", [step("a", "running", began=30, mission="00000001")], 30), NOW)
    plans_rows.learn(rows, {"00000001": {"activity": "idle", "unseen": unseen}})
    cells = {column.key: column.cell(rows[0], NOW) for column in plans_rows.COLUMNS}
    (branch,) = plans_rows.branches(rows)
    mark = plans_rows.name_cell(branch, ascii_only=False)[1]
    assert (cells["state"].text, mark.text) == ("your turn", "❯")
    assert {cells["state"].tone, cells["when"].tone, mark.tone} == {tone}


def edges(rows):
    return [(branch.guides, branch.row["name"]) for branch in plans_rows.branches(list(rows.values()))]


def test_edges_are_drawn_beside_the_names_and_are_no_agents():
    diamond = rows_of(
        step("a", "waiting"),
        step("b", "waiting", ("a",)),
        step("c", "waiting", ("a",)),
        step("d", "waiting", ("b", "c")),
    )
    assert edges(diamond) == [("●  ", "a"), ("├─╮", ""), ("● │", "b"), ("│ ●", "c"), ("├─╯", ""), ("●  ", "d")]
    found = plans_rows.branches(list(diamond.values()))
    assert [branch.id for branch in found if plans_rows.is_agent(branch)] == ["a", "b", "c", "d"]
    shown = ["".join(cell.text for cell in plans_rows.name_cell(branch, ascii_only=True)) for branch in found]
    assert shown == ["o   a", "├─╮", "o │ b", "│ o c", "├─╯", "o   d"]
    for column in plans_rows.COLUMNS:
        assert all(column.cell(branch.row, NOW) is not None for branch in found)


def test_where_too_many_edges_pass_agents_are_indented_instead():
    drawn = edges({row["name"]: row for row in plans_rows.agents(WIDE, NOW)})
    assert drawn[0] == ("●", "root")
    assert drawn[1] == ("  ●", "part-1")
    assert drawn[-1] == ("    ●", "join")


@given(st.lists(st.lists(st.integers(0, 30), max_size=5), min_size=1, max_size=40))
def test_no_plan_is_too_tangled_to_be_shown_and_every_agent_stands_behind_what_it_needs(needs):
    agents = [
        step(f"a{at}", "waiting", sorted({f"a{one % at}" for one in below} if at else ()))
        for at, below in enumerate(needs)
    ]
    rows = rows_of(*agents)
    names = [branch.id for branch in plans_rows.branches(list(rows.values())) if plans_rows.is_agent(branch)]
    assert sorted(names) == sorted(rows)
    places = {name: at for at, name in enumerate(names)}
    assert all(places[one] < places[row["name"]] for row in rows.values() for one in row["needs"])


@tabled("by", plans_rows.AGENT_ORDERS)
def test_agents_have_an_order_by_each_column(by):
    order = plans_rows.AGENT_ORDERS[by]
    assert len(sorted(plans_rows.agents(RELEASE, NOW), key=lambda row: order.key(row, NOW))) == 10


# quests and rituals

QUESTS_SAY = [
    (quest(1, "q", "running", 42, phase="work"), ("working", "42s", "", "")),
    (quest(1, "q", "running", 42, phase="check", retries=2, attempts=2), ("checking", "42s", "2/3", "")),
    (
        quest(1, "q", "failed", 42, 2, reason="check_failed", exit_code=1),
        ("failed", "40s", "", "its check failed, exit 1"),
    ),
    (quest(1, "q", "completed", 42, 2, exit_code=0), ("succeeded", "40s", "", "")),
]


@pytest.mark.parametrize(("row", "said"), QUESTS_SAY)
def test_a_quest_says_how_it_stands(row, said):
    cells = {column.key: column.cell(row, NOW).text for column in quests_rows.COLUMNS}
    assert tuple(cells[key] for key in ("state", "for", "attempts", "why")) == said


LEFT = [
    (0, "now"), (-5, "now"), (0.4, "now"), (1, "1s"), (59, "59s"), (60, "1m 00s"), (250, "4m 10s"), (3600, "1h 00m"),
    (11_100, "3h 05m"), (86_400, "1d 00h"), (187_200, "2d 04h"), (9e6, "104d"),
]  # fmt: skip


@tabled(("seconds", "said"), LEFT)
def test_a_countdown_has_two_units(seconds, said):
    assert schedules_rows.countdown(seconds) == said


@given(st.floats(0, 1e9))
def test_a_countdown_fits_its_column(seconds):
    assert len(schedules_rows.countdown(seconds)) <= 8


RITUALS_SAY = [
    (ritual("r", "waiting", "@daily", 250), ("waiting", "4m 10s", "", "")),
    (ritual("r", "paused", "@daily", 250), ("paused", "paused", "", "")),
    (ritual("r", "waiting", "@daily", None), ("waiting", "never", "", "")),
    (ritual("r", "running", "@daily", 250, queued=2, last_at=RITUALS[0]["last_at"], last_result="running"),
     ("working +2", "4m 10s", "2h ago", "working")),
    (ritual("r", "waiting", "@daily", 250, last_result="cancelled", last_outcome="stopped"),
     ("waiting", "4m 10s", "", "stopped")),
]  # fmt: skip


@pytest.mark.parametrize(("row", "said"), RITUALS_SAY)
def test_a_ritual_says_when_it_comes_and_what_came_of_it(row, said):
    cells = {column.key: column.cell(row, NOW).text for column in schedules_rows.RITUALS_COLUMNS}
    assert tuple(cells[key] for key in ("state", "next", "last", "result")) == said


RUNS_SAY = [
    (run(1, "completed", began=9, ended=4), ("backup/1", "succeeded", "5s", "")),
    (run(2, "missed", missed=3), ("#2", "missed", "", "3 more missed")),
    (run(2, "missed", missed=1000), ("#2", "missed", "", "1000+ more missed")),
    (run(3, "failed", began=9, ended=4, exit_code=2, reason="check_failed"),
     ("backup/3", "failed", "5s", "its check failed · exit 2")),
    (run(4, "skipped", reason="overlap", text="The run before went on."),
     ("#4", "skipped", "", "The run before went on.")),
    (run(5, "running", began=9), ("backup/5", "working", "9s", "")),
]  # fmt: skip


@tabled(("row", "said"), RUNS_SAY)
def test_a_run_says_how_it_came_out(row, said):
    (found,) = schedules_rows.runs([row])
    cells = {column.key: column.cell(found, NOW).text for column in schedules_rows.RUNS}
    assert tuple(cells[key] for key in ("name", "state", "took", "why")) == said


def test_all_about_a_quest_is_a_text_to_read():
    assert read(quests_rows.quest(QUESTS[1], LOOK)) == [
        " docs 00000021",
        " ✖ failed after 16m 40s  its check failed, exit 2",
        "  command            make docs",
        "  folder             /srv/work",
        "  check              test -f index.html",
        "  tries              3 of 3",
        "  exit code          2",
        "  started            2025-12-31 22:53:20",
        "  ended              2025-12-31 23:10:00",
        "  mission            00000021  running",
    ]


def test_all_about_a_ritual_says_when_it_comes_and_how_its_runs_came_out():
    coming = [{"local": f"2026-01-0{day} 03:00 CET"} for day in (2, 3)]
    said = read(schedules_rows.ritual(RITUALS[0] | {"upcoming": coming, "runs": RUNS, "retries": 0}, LOOK))
    assert said[1] == " ○ waiting · next in 2h 03m"
    assert said[5:7] == ["  next               2026-01-02 03:00 CET", "                     2026-01-03 03:00 CET"]
    assert said[-4] == "  ⊘ #4        skipped    2026-01-04 03:00 CET  schedule          The run before went on."
    paused = read(schedules_rows.ritual(RITUALS[2] | {"runs": [], "upcoming": coming}, LOOK))
    assert paused[1] == " ‖ paused"
    assert not [line for line in paused if line.startswith(("  next", " runs"))]


def test_all_about_a_run_says_why_it_never_began():
    missed = schedules_rows.runs(RUNS)[3]
    assert read(schedules_rows.run(missed, LOOK))[1] == " ⊘ missed  3 more missed"


def test_each_order_of_the_schedules_sorts_all_rows():
    for orders, rows in (
        (quests_rows.ORDERS, quests_rows.quests(QUESTS)),
        (schedules_rows.RITUAL_ORDERS, schedules_rows.rituals(RITUALS)),
        (schedules_rows.RUN_ORDERS, schedules_rows.runs(RUNS)),
    ):
        for order in orders.values():
            assert sorted(order.key(row, NOW) for row in rows)
    assert next(row["name"] for row in quests_rows.quests(QUESTS)) == "port", "the newest first"


def named(number, status, began, run_began=None, **more):
    times = {"started_at": at(began), "run_started_at": at(run_began)}
    return mission(number, more.pop("name", "release"), status, **({"type": "blueprint"} | times | more))


@tabled(
    ("others", "newest"),
    [([], 1), ([named(2, "crashed", 50)], 2), ([named(2, "crashed", 150)], 1),
     ([named(2, "running", 150, 20)], 2), ([named(2, "starting", None)], 2), ([named(2, "stopped", None)], 1),
     ([named(2, "running", 50, type="session")], 1), ([named(2, "running", 50, name="other")], 1),
     ([named(2, "running", 50, hive="east")], 1)],
)  # fmt: skip
def test_the_newest_run_of_a_name_is_the_one_that_began_last(others, newest):
    one = named(1, "stopped", 100)
    for rows in ([one, *others], [*others, one]):
        found = missions_rows.newest_of_name(one, rows)
        assert found["id"] == f"{newest:08x}"
        assert bool(missions_rows.older_words(one, found, UTC)) is (newest != 1)


def test_an_older_run_says_when_it_began_and_how_the_newest_stands():
    words = missions_rows.older_words(named(1, "stopped", 60), named(2, "crashed", 50), UTC)
    assert words == "an older run of 2025-12-31 23:59 · the newest: failed"
