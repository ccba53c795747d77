"""Pictures of health, of a timeline and of what was learned in 80x24 and 120x40."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from overmind_core.view.summary import EngineLoad
from tests.kit.pictures import SIZES
from tests.tui.noted import agent as agent_author
from tests.tui.noted import note
from tests.tui.test_pictures import Still, agent, mission
from tests.tui.test_pictures_board import WHY, in_queue
from tests.tui.test_pictures_plans import at, press

TERMS = (("loop", 0.35), ("drift", 0.25), ("thrash", 0.2), ("overrun", 0.1), ("silence", 0.1))


def terms(**held) -> Any:
    """The patterns of a sample; those that are named hold, with this evidence, or can't be measured (None)."""
    return [
        {"term": term, "cost": cost, "holds": held.get(term, False) is not False if held.get(term, "") is not None
         else None, "evidence": held.get(term) or ""}
        for term, cost in TERMS
    ]  # fmt: skip


def watched(number, name, level="ok", silent: float | None = 4.0, alignment: float | None = 1.0, **more) -> Any:
    """A mission of the answer to `health`."""
    return {
        "id": f"{number:08x}", "name": name, "level": level, "silent_seconds": silent,
        "missed": None if silent is None else int(silent // 30), "cpu_percent": None, "alignment": alignment,
        "terms": terms() if alignment is not None else [], "steers": 0, "coherence": 0.72, **more,
    }  # fmt: skip


HEALTH: Any = {
    "missions": [
        watched(0x50, "login/TSK-001", alignment=0.4, steers=1,
                terms=terms(loop="AssertionError: [red]3 != 4[/] \x1b[2J, three times", drift="web/cart.py")),
        watched(0x51, "billing", "quiet", 130.0, cpu_percent=0.4),
        watched(0x52, "日本-docs", "stalled", 320.0, 0.9, terms=terms(silence="no sign of life for 320 s")),
        watched(0x53, "server", "hung", 900.0, None, cpu_percent=0.0),
        watched(0x56, "api-client", None, None, 0.65, terms=terms(loop="exit 2, three times", overrun=None)),
    ],
    "coherence": {"value": 0.72, "text": "0.72", "grade": "fair", "live": 5, "known": 4, "low": 1, "steered": 1,
                  "sharing": 0},
}  # fmt: skip
IDLE: Any = {"missions": [], "coherence": {"value": None, "text": "idle", "grade": "", "live": 0, "known": 0, "low": 0,
                                           "steered": 0, "sharing": 0}}  # fmt: skip


def happened(seconds, seq, attempt, what, by, text) -> Any:
    """A row of the answer to `timeline`, so many seconds ago."""
    return {"at": at(seconds), "seq": seq, "attempt": attempt, "what": what, "by": by, "text": text}


TIMELINE: Any = [
    {"at": None, "seq": 40, "attempt": None, "what": "earlier", "by": None, "text": "The beginning is no longer kept."},
    happened(90_000, 40, None, "queued", "person", "waits for its turn"),
    happened(900, 41, 1, "working", "engine", "attempt 1 begins"),
    happened(700, 44, 1, "succeeded", None, "exit code 0"),
    happened(699, 45, 1, "checking", "engine", "its work has ended"),
    happened(690, 47, 1, "queued", "engine", "attempt 1 has failed: its check failed"),
    happened(680, 48, 2, "working", "engine", "attempt 2 begins"),
    happened(500, 52, 2, "health", "engine", "quiet: no output for 90 s"),
    happened(450, 53, 2, "asked", "engine", "question 9 (steer): loop: [red]E999[/] \x1b[2J, three times"),
    happened(400, 55, 2, "answered", "person", "question 9: allow"),
    happened(399, 56, 2, "steer", "engine", "message (loop): the same error three times"),
    happened(300, 60, 2, "overlap", "engine", "日本-docs changes shop/cart.py, too"),
    happened(200, 62, 2, "landing", "engine", "on main"),
    happened(190, 63, 2, "landed", "engine", "quest/login on main: aaaaaaa to bbbbbbb"),
    happened(189, 64, 2, "completed", "engine", ""),
    happened(189, 65, 2, "note", "engine", "N-0000000007 proposed: it failed (check_failed), then it passed"),
]


def group(key, quests, rate: float | None = None, **more) -> Any:
    """A group of the answer to `learn`."""
    usual: Any = {"attempts": quests, "tries": rate and 1.4, "cost_usd": rate and 0.42, "cost_unknown": 0,
                  "seconds": rate and 250.0, "failures": {}}  # fmt: skip
    return {"key": key, "quests": quests, "rate": rate, **usual, **more}


def lesson(number, what, **more) -> Any:
    """A lesson of the answer to `notes`."""
    text = (
        f"An attempt at login/TSK-{number:03} failed ({what}):\n> E  AssertionError: 3 != 4\n> in [b]tests[/b] \x1b[2J"
    )
    usual: Any = {"kind": "lesson", "files": ["shop/cart.py"], "from": "overmind",
                  "author": agent_author("00000050", f"login/TSK-{number:03}")}  # fmt: skip
    return note(number, text, number / 24, **{**usual, **more})


LEARNED: Any = {
    "by": "type",
    "groups": [
        group("feature", 24, 0.8333, failures={"check_failed": 6, "conflicts": 1}),
        group("bug", 7, 1.0),
        group("", 2),
        *(group(f"kind-{number}", 1) for number in range(6)),
    ],
}
LESSONS: Any = {
    "notes": [
        lesson(3, "check_failed", helped=4, hurt=1),
        lesson(5, "check_failed", hurt=3, rests=True),
        lesson(7, "日本語: " + "a long line of what failed " * 8, state="proposed"),
    ],
    "proposed": 1,
}
NO_LESSONS: Any = {"notes": [], "proposed": 0}
QUESTIONS: list[Any] = [
    {"question": 9, "id": "00000050", "name": "login/TSK-001", "need": "steer", "part": "", "tool": None, "options": [],
     "summary": "send it: you have had the same error three times", "subject": {"lines": ["loop: 0.35", "drift: 0.25"]},
     "rule": None, "asked_at": at(60), "attach_only": False,
     "about": {"kind": "mission", "id": "00000050", "name": "login/TSK-001"}},
]  # fmt: skip
FLEET = [
    agent(0x50, "login/TSK-001", "working", "⚙ Edit: web/cart.py", 0.12, started_at=at(240)),
    mission(0x51, "billing", "running"),
    agent(0x52, "日本-docs", "working", "処理中 42 %", 0.5, started_at=at(900)),
    mission(0x53, "server", "running"),
    agent(0x56, "api-client", "waiting", "Bash: rm -rf build", 0.1, need="permission", started_at=at(120)),
]


class Watched(Still):
    """The program with missions that are watched, and stand still."""

    other_answer: ClassVar[Any] = {}
    answers: ClassVar[dict[str, Any]] = {
        "health": HEALTH, "timeline": TIMELINE, "learn": LEARNED, "notes": LESSONS,
        "note": LESSONS["notes"][0], "quest_why": WHY, "interrupt": {"interrupted": True},
        "board": {"columns": [{"name": "running", "count": 1, "quests": [
            in_queue(0x50, "login/TSK-001", "running", 240, phase="work")]}]},
    }  # fmt: skip
    questions: ClassVar[list[Any]] = QUESTIONS

    def __init__(self, **how):
        super().__init__(FLEET, **how)

    def _start(self):
        self.fleet.apply(self._rows, (), everything=True)
        self.fleet.questions = self.questions
        self.main.rearrange()


class Nothing(Watched):
    """The same with nothing to watch, and nothing learned."""

    answers: ClassVar[dict[str, Any]] = {
        "health": IDLE, "timeline": [], "learn": {"by": "type", "groups": []}, "notes": NO_LESSONS, "quest_why": WHY,
        "interrupt": {"interrupted": False},
    }  # fmt: skip


class NoLessons(Watched):
    """The same with quests that have taught nothing."""

    answers: ClassVar[dict[str, Any]] = {**Watched.answers, "notes": NO_LESSONS}


VIEWS = {
    "health": (":hl", "enter", "down"),
    "health_why": (":health", "enter", "w"),
    "timeline": (":timeline login/TSK-001", "enter", "up", "up"),
    "learn": (":learn", "enter"),
    "lesson": (":learn", "enter", "down", "enter"),
}
ONCE = {
    "health_wide": (":health", "enter", "ctrl+w"),
    "learn_without_lessons": (":learn", "enter"),
    "timeline_of_a_card": (":board", "enter", "enter"),
    "timeline_help": (":tl login/TSK-001", "enter", "question_mark"),
    "learn_help": (":learn", "enter", "question_mark"),
}
PROGRAMS = {"learn_without_lessons": NoLessons}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    assert pictured(Watched(), size, press(*VIEWS[view]), afresh=True)


@pytest.mark.parametrize("view", ONCE)
def test_once(snap_compare, view):
    program = PROGRAMS.get(view, Watched)()
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*ONCE[view]))


@pytest.mark.parametrize("size", SIZES)
def test_header(pictured, size):
    program = Watched()
    program.fleet.engine = EngineLoad(2, 3, 7, sharing=2)
    assert pictured(program, size, press(*VIEWS["health"]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["health", "learn", "timeline login"])
def test_empty(pictured, view, size):
    assert pictured(Nothing(), size, press(f":{view}", "enter"))


def test_light(snap_compare):
    assert snap_compare(Watched(theme="light"), terminal_size=(200, 60), run_before=press(*VIEWS["health"]))


@pytest.mark.parametrize("view", ["health", "timeline", "learn"])
def test_ascii(snap_compare, view):
    program = Watched()
    program.appearance.ascii_only = True
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*VIEWS[view]))


@pytest.mark.parametrize("view", ["health", "timeline", "learn"])
def test_small(snap_compare, view):
    assert snap_compare(Watched(), terminal_size=(60, 15), run_before=press(*VIEWS[view]))
