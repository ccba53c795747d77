"""What is told of a mission."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.agents.agent import Activity, ActivityKind, AgentMode
from overmind_core.domain.agents.conversation import Conversation, FailedMessage
from overmind_core.domain.missions.mission import Cause, Definition, Kind, Mission, Restart, RestartPolicy, Status
from overmind_core.domain.missions.reasons import FOREVER, sentence
from overmind_core.missions.answers import details, is_explained, now_line, talking, uptime
from overmind_core.missions.output_progress import FULL_SCREEN
from tests.kit.cases import tabled

ENDS = [
    # status, exit code, reason, last line, what is said
    (Status.STOPPED, 0, None, "done", "done"),
    (Status.STOPPED, 0, None, "", None),
    (Status.CRASHED, 3, None, "no such file", "exit 3: no such file"),
    (Status.CRASHED, 3, None, "", "exit 3"),
    (Status.CRASHED, 3, None, FULL_SCREEN, "exit 3"),
    (Status.CRASHED, 124, "timeout", "hi", "exit 124, it took too long: hi"),
    (Status.CRASHED, 143, "max_cost", "echo: c", "exit 143, it reached its limit of cost: echo: c"),
    (Status.CRASHED, None, "keeper_lost", "", "the program that held it, or the machine, went away"),
    (Status.CRASHED, 3, "restart_budget_spent", "bad", "exit 3, restarted 5 times in a minute, gave up: bad"),
    (Status.CRASHED, 1, "api_error 529", "✗ api_error 529: Overloaded", "exit 1: ✗ api_error 529: Overloaded"),
]


ON_PURPOSE = [
    # status, by, exit code, reason, last line, what is said
    (Status.STOPPED, Cause.STOP, 143, None, "06:02:48", "06:02:48"),
    (Status.STOPPED, Cause.STOP, 143, None, "", None),
    (Status.STOPPED, Cause.STOP, 143, None, FULL_SCREEN, None),
    (Status.STOPPED, Cause.STOP, 0, None, "bye", "bye"),
    (Status.STOPPED, None, 143, None, "06:02:48", "06:02:48"),
    (Status.KILLED, Cause.KILL, 137, None, "06:02:48", "06:02:48"),
    (Status.STOPPED, Cause.EXITED, 3, "restart_cancelled", "no such file", "exit 3, {why}: no such file"),
]


@tabled(("status", "by", "code", "reason", "last_line", "said"), ON_PURPOSE)
def test_the_line_of_what_somebody_ended_is_not_told_as_its_reason(status, by, code, reason, last_line, said):
    definition = Definition("name", "true", ("true",), "/", columns=80, rows=24)
    mission = Mission("a1b2c3d4", definition, created_at=0.0, status=status, exit_code=code, reason=reason, ended_by=by)
    assert now_line(mission, last_line) == (said and said.format(why=sentence(reason)))


@tabled(("status", "code", "reason", "last_line", "said"), ENDS)
def test_now_says_how_it_ended_and_why(status, code, reason, last_line, said):
    definition = Definition("name", "true", ("true",), "/", columns=80, rows=24)
    mission = Mission("a1b2c3d4", definition, created_at=0.0, status=status, exit_code=code, reason=reason)
    assert now_line(mission, last_line) == said


def test_the_mission_of_a_quest_was_tried_so_often_and_no_span_is_said():
    """A check that failed has taken one of its retries, so its limit of restarts says less than has happened."""
    policy = RestartPolicy(max_restarts=1, window=FOREVER)
    definition = Definition("name", "true", ("true",), "/", restart=policy)
    mission = Mission("a1b2c3d4", definition, created_at=0.0, status=Status.CRASHED, exit_code=1, restart_count=2)
    mission = replace(mission, reason="restart_budget_spent")
    assert now_line(mission, "") == "exit 1, tried 3 times, gave up"


def test_now_says_also_why_the_last_run_of_what_was_given_up_has_ended():
    definition = Definition("name", "true", ("true",), "/", restart=RestartPolicy(Restart.ALWAYS, max_restarts=1))
    mission = Mission("a1b2c3d4", definition, 0.0, Status.CRASHED, "restart_budget_spent", exit_code=137, limit=3.0)
    mission = replace(mission, run_reason="stalled")
    said = "exit 137, restarted once in a minute, gave up: it was silent for 3 seconds"
    assert now_line(mission, "bye") == f"{said}: bye"
    late = replace(mission, reason="timeout", run_reason=None, exit_code=124)
    assert now_line(late) == "exit 124, it took longer than 3 seconds, after which it is not restarted"


EXPLAINED = [
    # status, reason, whether anything but its output says what goes on
    (Status.RUNNING, None, True),
    (Status.STARTING, None, True),
    (Status.CRASHED, "not_logged_in", True),
    (Status.CRASHED, None, False),
    (Status.RESTARTING, None, False),
]


@tabled(("status", "reason", "explained"), EXPLAINED)
def test_what_lives_or_ended_for_a_known_reason_needs_no_error_of_its_program(status, reason, explained):
    definition = Definition("name", "codex", ("codex",), "/", provider="codex")
    mission = Mission("a1b2c3d4", definition, 0.0, status, reason, run_reason=reason)
    assert is_explained(mission) is explained


FAREWELLS = [
    # kind, exit code, last line, what is said
    (Kind.SESSION, 4, "exit", "exit 4"),
    (Kind.SESSION, 4, "logout", "exit 4"),
    (Kind.SESSION, 4, "root@vm:/srv# exit 4", "exit 4"),
    (Kind.SESSION, 4, "$ exit 4", "exit 4"),
    (Kind.SESSION, 0, "exit", None),
    (Kind.SESSION, 4, "there was no way to exit", "exit 4: there was no way to exit"),
    (Kind.SESSION, 4, "$ make", "exit 4: $ make"),
    (Kind.TASK, 4, "exit", "exit 4: exit"),
]


@tabled(("kind", "code", "last_line", "said"), FAREWELLS)
def test_the_farewell_of_a_shell_is_no_news_of_its_end(kind, code, last_line, said):
    definition = Definition("name", "bash", ("bash",), "/", kind=kind)
    status = Status.CRASHED if code else Status.STOPPED
    mission = Mission("a1b2c3d4", definition, 0.0, status, exit_code=code, ended_by=Cause.EXITED)
    assert now_line(mission, last_line) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("not_logged_in", "it is not logged in (log in first: run claude in a terminal and type /login)"),
        ("interrupted", "its turn was interrupted"),
    ],
)
def test_a_message_that_failed_for_want_of_a_login_says_how_to_log_in(error, said):
    definition = Definition("planner", "claude", ("claude",), "/", provider="claude")
    mission = Mission("a1b2c3d4", definition, created_at=0.0, status=Status.RUNNING)
    mode, idle = AgentMode.HEADLESS, Activity(ActivityKind.IDLE)
    conversation = Conversation("s", mode, mode, mode, activity=idle, failed=FailedMessage(1, error))
    assert talking(mission, conversation)["failed_message"] == f"message 1 failed: {said}"
    assert now_line(mission, "", conversation) == f"message 1 failed: {said}"


PIECE = "Press enter to co"
TERMINALS = [
    # provider, mode, what is told, last line, what is said
    ("claude", AgentMode.INTERACTIVE, "", PIECE, None),
    ("claude", AgentMode.INTERACTIVE, "⚙ Bash: ls", PIECE, "⚙ Bash: ls"),
    ("claude", AgentMode.HEADLESS, "", "starting", "starting"),
    ("raw", AgentMode.INTERACTIVE, "", "$ make", "$ make"),
]


@pytest.mark.parametrize(("provider", "mode", "now", "last_line", "said"), TERMINALS)
def test_pieces_of_an_agents_own_screen_are_no_lines(provider, mode, now, last_line, said):
    definition = Definition("name", "claude", ("claude",), "/", columns=80, rows=24, provider=provider)
    mission = Mission("a1b2c3d4", definition, created_at=0.0, status=Status.RUNNING)
    conversation = Conversation("s", mode, mode, mode, activity=Activity(ActivityKind.IDLE, now=now))
    assert now_line(mission, last_line, conversation) == said


@tabled(("status", "reason", "said"), [
    (Status.RUNNING, "disk_full", "stands still: the disk is full"),
    (Status.RUNNING, "log_error", "stands still: its log can't be written"),
    (Status.RUNNING, None, "line 7"),
    (Status.CRASHED, "disk_full", "exit 1, the disk was full: line 7"),
])  # fmt: skip
def test_of_a_program_that_waits_until_its_output_can_be_stored_now_says_so(status, reason, said):
    definition = Definition("name", "seq 9", ("seq", "9"), "/")
    mission = Mission("a1b2c3d4", definition, 0.0, status, reason, exit_code=1)
    assert now_line(mission, "line 7") == said


@tabled(("provider", "counted", "said"), [("claude", 10, 10), ("codex", 0, None), ("raw", 0, None)])
def test_turns_that_nobody_counted_are_none(provider, counted, said):
    """Few programs tell how often their model was called; of the others 0 would be false."""
    definition = Definition("name", provider, (provider,), "/", provider=provider)
    mission = Mission("a1b2c3d4", definition, created_at=0.0, status=Status.RUNNING)
    mode = AgentMode.HEADLESS
    conversation = Conversation("s", mode, mode, mode, activity=Activity(ActivityKind.IDLE), turns=counted)
    assert details(mission, [], [], 1.0, conversation=conversation)["turns"] == said
    assert details(mission, [], [], 1.0)["turns"] is None


@tabled(("what", "known", "seconds"), [
    ("it was started again after a pause", {"started_at": 10.0, "run_started_at": 900.0}, 100.0),
    ("it runs for the first time", {"started_at": 10.0, "run_started_at": 10.0}, 990.0),
    ("an older program has started it", {"started_at": 10.0}, 990.0),
    ("nothing has begun", {}, 995.0),
    ("its last run took 50 s", {"run_started_at": 900.0, "ended_at": 950.0, "status": Status.CRASHED}, 50.0),
    (
        "it ended 49 s later, while it waited for a restart",
        {"run_started_at": 900.0, "run_ended_at": 902.0, "ended_at": 951.0, "status": Status.KILLED}, 2.0,
    ),
    ("the clock was set back", {"started_at": 10.0, "run_started_at": 2000.0}, 0.0),
])  # fmt: skip
def test_uptime_is_about_the_newest_run(what, known, seconds):
    mission = Mission("a1b2c3d4", Definition("worker", "x", ("x",), "/"), 5.0, known.pop("status", Status.RUNNING))
    assert uptime(replace(mission, **known), 1000.0) == seconds, what
