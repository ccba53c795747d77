"""Pictures of plans, quests and rituals in 80x24 and 120x40."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from overmind_core.domain.text.moment import format_time
from tests.kit.pictures import SIZES
from tests.tui.test_pictures import NOW, Still, agent, mission
from tests.tui.test_pictures_tables import typed


def at(seconds: float | None) -> str | None:
    """So many seconds before now."""
    return None if seconds is None else format_time(NOW - seconds)


def step(name, stage, needs=(), began=None, ended=None, **more) -> Any:
    """An agent of a plan; times are seconds before now."""
    return {
        "name": name, "stage": stage, "waits_for": None, "reason": None, "mission": None,
        "attempt": int(began is not None), "ready": None, "exit_code": None, "result": None, "facts": {},
        "stays": False, "seconds": None,
        "depends_on": [{"agent": one, "until": "success"} for one in needs], "started_at": at(began),
        "ended_at": at(ended), **more,
    }  # fmt: skip


def counted(agents) -> dict[str, int]:
    stages = ("waiting", "starting", "running", "stopping", "succeeded", "failed", "skipped", "cancelled")
    return {stage: sum(one["stage"] == stage for one in agents) for stage in stages}


def whole(number, name, status, agents, began, ended=None, **more) -> Any:
    return {
        "id": f"{number:08x}", "name": name, "status": status, "reason": None, "exit_code": None, "run": 1,
        "file": f"/srv/work/{name}.toml", "started_at": at(began), "ended_at": at(ended),
        "seconds": began - (ended or 0), "total": len(agents), "counts": counted(agents), "max_parallel": 4,
        "on_failure": "continue", "critical_path": [], "agents": agents, **more,
    }  # fmt: skip


RELEASE = whole(0x10, "release", "running", [
    step("fetch", "succeeded", (), 200, 185, mission="00000001", exit_code=0, facts={"commit": "8f3a1c"}),
    step("db", "running", (), 200, mission="00000002", ready=True, stays=True),
    step("lint", "succeeded", ("fetch",), 185, 160, mission="00000003", exit_code=0, result="0 problems"),
    step("types", "running", ("fetch",), 185, mission="00000004"),
    step("unit", "running", ("fetch", "db"), 185, mission="00000005", attempt=2),
    step("[red]docs[/]", "failed", ("fetch",), 185, 120, mission="00000006", exit_code=2, reason=None),
    step("build", "waiting", ("lint", "types"), waits_for="types"),
    step("e2e", "waiting", ("build", "db", "unit"), waits_for="build, unit"),
    step("日本-site", "skipped", ("[red]docs[/]",), reason="[red]docs[/] failed"),
    step("publish", "waiting", ("e2e",), waits_for="e2e"),
], 200)  # fmt: skip
WIDE = whole(0x11, "lattice", "stopped", [
    step("root", "succeeded", (), 90, 80, mission="00000001"),
    *(step(f"part-{one}", "succeeded", ("root",), 80, 80 - one * 4, mission="00000001") for one in range(1, 13)),
    step("join", "cancelled", [f"part-{one}" for one in range(1, 13)], reason="cancel", outcome="stopped"),
], 90, 30)  # fmt: skip
PLANS = [
    RELEASE,
    whole(0x12, "nightly", "crashed", [step("one", "failed"), step("two", "skipped")], 9000, 8000, exit_code=1),
    WIDE,
]
DETAILS = {"max_parallel", "on_failure", "critical_path", "agents"}
LISTED = [{key: value for key, value in one.items() if key not in DETAILS} for one in PLANS]
"""As all of them are told together."""
FLEET = [
    mission(0x10, "release", "running", type="blueprint"),
    mission(1, "release/fetch", "stopped", "00000010"),
    agent(2, "release/db", "working", "accepting connections", 0.1, "00000010"),
    mission(4, "release/types", "running", "00000010", now="checking 214 of 300 files"),
    agent(5, "release/unit", "waiting", "Bash: rm -rf build", 0.2, "00000010", need="permission"),
    mission(6, "release/docs", "crashed", "00000010", exit_code=2, now="exit 2: E999 [/] syntax error"),
]


def quest(number, name, status, began, ended=None, **more) -> Any:
    return {
        "id": f"{number:08x}", "name": name, "status": status, "reason": None, "exit_code": None, "phase": None,
        "attempts": 1, "retries": 0, "check": None, "check_id": None, "command": f"make {name}", "cwd": "/srv/work",
        "provider": "raw", "ritual": None, "mission": f"{number:08x}", "mission_status": "running",
        "started_at": at(began), "ended_at": at(ended), "duration_seconds": began - (ended or 0), **more,
    }  # fmt: skip


QUESTS = [
    quest(0x20, "backup/4", "completed", 7300, 7200, ritual="backup", exit_code=0),
    quest(0x21, "docs", "failed", 4000, 3000, exit_code=2, reason="check_failed", retries=2, attempts=3,
          check="test -f index.html"),
    quest(0x22, "[b]site[/b]", "cancelled", 900, 880, exit_code=143, reason="stopped"),
    quest(0x23, "fix-日本", "running", 300, phase="check", check="make test", retries=3, attempts=2),
    quest(0x24, "port", "running", 42, phase="work"),
]  # fmt: skip


def ritual(name, status, schedule, left, **more) -> Any:
    due = None if left is None else at(-left)
    return {
        "id": name, "name": name, "status": status, "schedule": schedule, "zone": "Europe/Berlin",
        "paused": status == "paused", "next_at": due, "next_local": due and "2026-01-02 03:00 CET", "last_at": None,
        "last_local": None, "last_result": None, "last_id": None, "last_number": None, "running": [], "queued": 0,
        "command": f"make {name}", "kind": "quest", "overlap": "skip", "catch_up": "one", "keep": 10,
        "created_at": at(86_400 * 9), **more,
    }  # fmt: skip


RITUALS = [
    ritual("backup", "waiting", "0 3 * * *", 7384, last_at=at(7300), last_local="2026-01-01 03:00 CET",
           last_result="completed", last_id="00000020", last_number=4),
    ritual("mail", "running", "@every 10m", 42, last_at=at(558), last_local="2026-01-01 00:50 CET", queued=2,
           last_result="running", last_id="00000023", last_number=911, running=["00000023"]),
    ritual("prune", "paused", "@weekly", 400_000, last_at=at(200_000), last_result="failed", last_number=3,
           last_id="00000030", last_local="2025-12-29 17:26 CET"),
    ritual("[red]once[/]", "waiting", "0 0 29 2 *", 90_000_000),
]  # fmt: skip


def run(number, status, trigger="schedule", began=None, ended=None, **more) -> Any:
    return {
        "number": number, "status": status, "trigger": trigger, "due_at": at(4000 - number),
        "due_local": f"2026-01-0{number} 03:00 CET", "missed": 0, "id": None if began is None else "00000020",
        "name": None if began is None else f"backup/{number}", "started_at": at(began), "ended_at": at(ended),
        "duration_seconds": None, "exit_code": None, "reason": None, "text": None, **more,
    }  # fmt: skip


RUNS = [
    run(1, "completed", began=900, ended=800, exit_code=0),
    run(2, "missed", missed=3),
    run(3, "failed", "catch_up", 700, 640, exit_code=2, reason="check_failed"),
    run(4, "skipped", reason="overlap", text="The run before went on."),
    run(5, "running", "manual", 30),
]


class Planned(Still):
    """The program with plans, quests and rituals that stand still."""

    other_answer: ClassVar[Any] = []
    answers: ClassVar[dict[str, Any]] = {
        "plans": LISTED, "plan": RELEASE, "quests": QUESTS, "quest": QUESTS[0], "rituals": RITUALS,
        "ritual": RITUALS[0], "ritual_history": RUNS, "info": FLEET[0], "definition": {},
        "notes": {"notes": [], "proposed": 0},
    }  # fmt: skip

    def __init__(self, **how):
        super().__init__(FLEET, **how)

    def _start(self):
        self.fleet.apply(self._rows, (), everything=True)
        self.main.rearrange()


class Lattice(Planned):
    """The same with a plan of too many edges to be drawn."""

    answers: ClassVar[dict[str, Any]] = {"plans": LISTED[-1:], "plan": WIDE}


class Empty(Planned):
    """The same with nothing at all."""

    answers: ClassVar[dict[str, Any]] = {}


VIEWS = {
    "plans": (":bp", "enter"),
    "plan": (":plans", "enter", "enter"),
    "quests": (":quests", "enter"),
    "rituals": (":rituals", "enter"),
    "ritual_runs": (":rituals", "enter", "enter"),
}
ONCE = {
    "plan_filtered": (":plan release", "enter", "/waits", "enter"),
    "plan_help": (":plan release", "enter", "question_mark"),
    "quest_cancel_asks": (":quests", "enter", "x"),
    "ritual_delete_asks": (":rituals", "enter", "j", "ctrl+d"),
}


def press(*keys):
    async def pressed(pilot):
        await typed(pilot, *keys)

    return pressed


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    assert pictured(Planned(), size, press(*VIEWS[view]))


@pytest.mark.parametrize("view", ONCE)
def test_once(snap_compare, view):
    assert snap_compare(Planned(), terminal_size=SIZES["80x24"], run_before=press(*ONCE[view]))


def test_wide_in_a_light_theme(snap_compare):
    program = Planned(theme="light")
    assert snap_compare(program, terminal_size=(160, 30), run_before=press(*VIEWS["plan"], "ctrl+w", "down"))


def test_too_many_edges(snap_compare):
    assert snap_compare(Lattice(), terminal_size=SIZES["80x24"], run_before=press(":plans", "enter", "enter"))


@pytest.mark.parametrize("view", ["plans", "quests", "rituals"])
def test_empty(snap_compare, view):
    assert snap_compare(Empty(), terminal_size=SIZES["80x24"], run_before=press(f":{view}", "enter"))


def test_ascii(snap_compare):
    program = Planned()
    program.appearance.ascii_only = True
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*VIEWS["plan"]))


def test_without_colours(monkeypatch, snap_compare):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(Planned(), terminal_size=SIZES["80x24"], run_before=press(*VIEWS["plan"]))
