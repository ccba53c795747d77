"""Pictures of the board and of the queue in 80x24 and 120x40."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.kit.pictures import SIZES
from tests.tui.test_pictures import AGENTS, Still, agent, mission
from tests.tui.test_pictures_plans import at, press, quest

NO_QUEUE: dict[str, Any] = {
    "priority": None, "deadline_at": None, "score": None, "position": None, "code": None, "why": None, "needs": [],
    "needs_min": 0, "owns": [], "into": None, "spec": None, "group": None, "round": None, "tries": None, "class": None,
    "estimate_seconds": None, "cost_usd": None, "landed": None,
}  # fmt: skip
"""What a quest that began at once says of the queue."""


def at_once(number, name, status, began, ended=None, **more) -> Any:
    """A quest that began at once."""
    return {**quest(number, name, status, began, ended), **NO_QUEUE, "began_at": at(began), **more}


def queued(number, name, position, why, code="needs", **more) -> Any:
    """One that waits for its turn."""
    return in_queue(
        number, name, "queued", 600 - number, position=position, score=0.6475 - position / 16, code=code, why=why,
        tries=0, attempts=0, mission=None, mission_status=None, began_at=None, **more,
    )  # fmt: skip


def in_queue(number, name, status, began, ended=None, **more) -> Any:
    """One of the queue."""
    spec = name.partition("/")[0] if "/" in name else None
    usual = {"priority": "medium", "retries": 2, "tries": 1, "round": 1, "spec": spec, "provider": "claude"}
    return at_once(number, name, status, began, ended, **{**usual, **more})


DOWNSTREAM = [{"id": "00000052", "name": "login/TSK-002"}]
WAITING = [
    queued(0x40, "login/TSK-003", 1, "waits for login/TSK-001 (running 4m)", priority="critical"),
    queued(0x41, "port-the-parser-to-the-new-grammar", 2, "3 of 3 slots are taken; 1st in line", "slots",
           priority="high"),
    queued(0x42, "日本-docs", 4, "not before 00:12:10 (attempt 2 of 3)", "until", **{"class": "check_failed"}),
    queued(0x43, "[red]site[/]", 5, "api/** is owned by login/TSK-001, which runs", "owns", group="web", spec=None),
    queued(0x44, "chores", 6, "3 of 3 slots are taken; 2nd in line", "slots", priority="low", group="web"),
]  # fmt: skip
RUNNING = [
    in_queue(0x50, "login/TSK-001", "running", 240, phase="work", cost_usd=0.12),
    in_queue(0x51, "billing", "running", 3700, phase="check", tries=2, cost_usd=4.1, check="pytest -q"),
    at_once(0x53, "backup/4", "running", 42, phase="work"),
]
BLOCKED = [
    in_queue(0x52, "login/TSK-002", "failed", 900, 300, reason="retries_spent", exit_code=1, tries=3, cost_usd=1.25,
             **{"class": "check_failed"}),
    queued(0x54, "login/TSK-004", 3, "needs login/TSK-002 (failed: check_failed)", "blocked", needs=DOWNSTREAM),
]  # fmt: skip
REVIEWED = [
    in_queue(0x55, "landing-page", "review", 500, cost_usd=0.4),
    in_queue(0x56, "api-client", "running", 120, phase="work"),
]
DONE = [
    in_queue(0x57, "login/explore", "completed", 4000, 3900, exit_code=0, cost_usd=0.02),
    in_queue(0x58, "login/requirements", "completed", 3900, 3700, exit_code=0, cost_usd=0.31),
    in_queue(0x59, "old-idea", "cancelled", 5000, 4990, reason="stopped", exit_code=143),
]
COLUMNS = {"queued": WAITING, "running": RUNNING, "blocked": BLOCKED, "review": REVIEWED, "done": DONE}
BOARD: Any = {"columns": [{"name": name, "count": len(rows), "quests": rows} for name, rows in COLUMNS.items()]}
BOARD["columns"][-1]["count"] = 1017
LANDING = in_queue(0x5A, "checkout", "running", 800, phase="landing", into="main", tries=1)
QUEUE: Any = {
    "paused": False, "slots": 3, "count": 6, "landing": [LANDING],
    "pools": [{"name": "queue", "slots": 3, "used": 3}, {"name": "provider:claude", "slots": 2, "used": 1}],
    "quests": sorted([*WAITING, BLOCKED[1]], key=lambda row: row["position"]),
}  # fmt: skip
WHY: Any = {
    "id": "00000054", "name": "login/TSK-004", "status": "queued", "code": "blocked",
    "text": "needs login/TSK-002 (failed: check_failed)", "next_at": None,
    "by": [{"id": "00000052", "name": "login/TSK-002", "status": "failed", "reason": "check_failed"}],
    "do": ["overmind quest retry login/TSK-002"],
    "score": {"total": 0.6475, "priority": 0.225, "age": 0.2, "deadline": 0.0, "blocking": 0.0, "retries": 0.05,
              "factor": 1.0, "floor": 0.6475},
    "position": 3, "queued": 6, "starts": ["login/TSK-005"],
    "waiting_then": [{"name": "login/TSK-006", "needs": ["login/TSK-003"]}],
}  # fmt: skip
DETAILS: Any = {
    **BLOCKED[0], "title": "Sessions survive a restart", "brief": "Keep them in the database.\n\tNot in [memory].",
    "needs": [{"id": "00000050", "name": "login/TSK-001"}], "owns": ["api/**", "web/login/*"], "outputs": ["report.md"],
    "review": "person", "verify": "pytest -q", "into": "main", "check": "test -f report.md", "max_cost_usd": 5.0,
    "deadline_at": at(-7200), "landed": None, "feedback": "check_failed\nreport.md is empty",
    "attempt_list": [
        {"attempt": number, "run": number, "class": failure, "exit_code": code, "started_at": at(900 - number * 200),
         "ended_at": at(800 - number * 200), "cost_usd": cost}
        for number, failure, code, cost in (
            (1, "exit", 2, 0.5), (2, "check_failed", 1, 0.5), (3, "check_failed", 1, None),
        )
    ],
}  # fmt: skip
FLEET = [
    mission(1, "planner", "running", cpu_percent=34.0, memory_bytes=120_000_000),
    agent(0x50, "login/TSK-001", "working", "⚙ Edit: api/session.py", 0.12, started_at=at(240)),
    agent(0x56, "api-client", "waiting", "Bash: rm -rf build", 0.1, need="permission", started_at=at(120)),
    AGENTS[3],
]  # fmt: skip
QUESTIONS: list[Any] = [
    {"question": 9, "id": "00000056", "name": "api-client", "need": "permission", "tool": "Bash", "options": [],
     "summary": "Bash: rm -rf build", "subject": {"command": "rm -rf build"}, "rule": None, "asked_at": at(60),
     "attach_only": False},
]  # fmt: skip


class Boarded(Still):
    """The program with quests that stand still."""

    other_answer: ClassVar[Any] = {}
    answers: ClassVar[dict[str, Any]] = {
        "board": BOARD, "queue": QUEUE, "quest_why": WHY, "quest": DETAILS, "timeline": [],
        "quests": [row for rows in reversed(COLUMNS.values()) for row in rows],
    }  # fmt: skip

    def __init__(self, **how):
        super().__init__(FLEET, **how)

    def _start(self):
        self.fleet.apply(self._rows, (), everything=True)
        self.fleet.questions = QUESTIONS
        self.main.rearrange()


class Paused(Boarded):
    """The same with a queue that starts nothing."""

    answers: ClassVar[dict[str, Any]] = {**Boarded.answers, "queue": {**QUEUE, "paused": True, "landing": []}}


class NoQuests(Boarded):
    """The same with nothing at all."""

    answers: ClassVar[dict[str, Any]] = {
        "board": {"columns": [{"name": name, "count": 0, "quests": []} for name in COLUMNS]},
        "queue": {**QUEUE, "count": 0, "quests": [], "landing": [], "pools": []},
        "timeline": [],
    }


VIEWS = {
    "board": (":board", "enter"),
    "board_blocked": (":kb", "enter", "right", "right", "down"),
    "board_marked_and_filtered": (":board", "enter", "space", "/login", "enter"),
    "lanes": (":board", "enter", "b"),
    "lanes_by_priority": (":board", "enter", "b", "b", "b", "right"),
    "queue": (":queue", "enter", "down"),
    "queue_wide": (":qu", "enter", "ctrl+w"),
    "why": (":board", "enter", "right", "right", "down", "w"),
    "quest_of_the_queue": (":board", "enter", "right", "right", "d"),
    "quests_of_the_queue": (":quests", "enter"),
}
ONCE = {
    "board_help": (":board", "enter", "question_mark"),
    "cancel_asks": (":board", "enter", "*", "x"),
    "question": (":board", "enter", "right", "right", "right", "down", "y"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    assert pictured(Boarded(), size, press(*VIEWS[view]), afresh=True)


@pytest.mark.parametrize("view", ONCE)
def test_once(snap_compare, view):
    assert snap_compare(Boarded(), terminal_size=SIZES["80x24"], run_before=press(*ONCE[view]))


def test_a_paused_queue_in_a_light_theme(snap_compare):
    program = Paused(theme="light")
    assert snap_compare(program, terminal_size=SIZES["120x40"], run_before=press(":queue", "enter"))


def test_a_board_in_a_light_theme_on_a_large_terminal(snap_compare):
    program = Boarded(theme="light")
    assert snap_compare(program, terminal_size=(200, 30), run_before=press(":board", "enter", "right"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["board", "queue"])
def test_empty(pictured, view, size):
    assert pictured(NoQuests(), size, press(f":{view}", "enter"))


@pytest.mark.parametrize("size", SIZES)
def test_ascii(pictured, size):
    program = Boarded()
    program.appearance.ascii_only = True
    assert pictured(program, size, press(*VIEWS["board"]))


def test_without_colours(monkeypatch, snap_compare):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(Boarded(), terminal_size=SIZES["120x40"], run_before=press(*VIEWS["board"], "right"))


@pytest.mark.parametrize("size", ["60x15", "40x8"])
def test_small(snap_compare, size):
    columns, rows = map(int, size.split("x"))
    assert snap_compare(Boarded(), terminal_size=(columns, rows), run_before=press(*VIEWS["board"], "right"))
